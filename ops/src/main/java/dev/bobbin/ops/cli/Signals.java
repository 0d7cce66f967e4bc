package dev.bobbin.ops.cli;

import java.lang.invoke.MethodHandleProxies;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.Map;

/// Signals that are sent to this command.
///
/// Java's own way to hear of them, `sun.misc.Signal`, is found by name: the compiler warns of its use in a way that
/// cannot be silenced, and warnings are errors here.
final class Signals {
    private static final Map<String, Integer> PASSED = Map.of("HUP", 1, "INT", 2, "USR1", 10, "TERM", 15);

    private Signals() {}

    /// Is told which signal came, on a thread of its own.
    @FunctionalInterface
    interface Listener {
        void heard(String name, int number);
    }

    /// From now on tells `listener` of each signal that is sent to this command, instead of ending with it. One that
    /// is ignored stays so.
    static void pass(Listener listener) {
        PASSED.forEach((name, number) -> on(name, () -> listener.heard("SIG" + name, number)));
    }

    /// From now on runs `action`, on a thread of its own, at each signal of this name.
    static void on(String name, Runnable action) {
        try {
            var lookup = MethodHandles.lookup();
            var signal = Class.forName("sun.misc.Signal");
            var handler = Class.forName("sun.misc.SignalHandler");
            var make = lookup.findConstructor(signal, MethodType.methodType(void.class, String.class));
            var handle = lookup.findStatic(signal, "handle", MethodType.methodType(handler, signal, handler));
            var tell = lookup.findVirtual(Runnable.class, "run", MethodType.methodType(void.class))
                    .bindTo(action);
            var told = MethodHandleProxies.asInterfaceInstance(handler, MethodHandles.dropArguments(tell, 0, signal));
            var _ = handle.invoke(make.invoke(name), told);
        } catch (Throwable impossible) {
            throw new IllegalStateException("listen for SIG" + name, impossible);
        }
    }
}
