package dev.bobbin.ops.cli;

import java.lang.invoke.MethodHandleProxies;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.List;
import java.util.function.Consumer;

/// Signals that are sent to this command.
///
/// Java's own way to hear of them, `sun.misc.Signal`, is found by name: the compiler warns of its use in a way that
/// cannot be silenced, and warnings are errors here.
final class Signals {
    private static final List<String> PASSED = List.of("INT", "TERM", "HUP", "USR1");

    private Signals() {}

    /// From now on tells `heard` the name of each signal that is sent to this command, on a thread of its own, instead
    /// of ending with it. One that is ignored stays so.
    static void pass(Consumer<String> heard) {
        try {
            var lookup = MethodHandles.lookup();
            var signal = Class.forName("sun.misc.Signal");
            var handler = Class.forName("sun.misc.SignalHandler");
            var make = lookup.findConstructor(signal, MethodType.methodType(void.class, String.class));
            var handle = lookup.findStatic(signal, "handle", MethodType.methodType(handler, signal, handler));
            for (var name : PASSED) {
                var tell = lookup.findVirtual(Runnable.class, "run", MethodType.methodType(void.class))
                        .bindTo((Runnable) () -> heard.accept("SIG" + name));
                var told = MethodHandleProxies.asInterfaceInstance(
                        handler, MethodHandles.dropArguments(tell, 0, signal));
                var _ = handle.invoke(make.invoke(name), told);
            }
        } catch (Throwable impossible) {
            throw new IllegalStateException("listen for signals", impossible);
        }
    }
}
