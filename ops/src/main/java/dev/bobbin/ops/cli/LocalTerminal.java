package dev.bobbin.ops.cli;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Map;

/// The terminal in which this command was typed: its size, and whether it passes every key on as it is.
final class LocalTerminal {
    /* Java knows nothing of terminals, and stty(1) would be one more process for each question. A termios is 60 bytes here
     * and elsewhere not much more; nothing in it is looked at. */

    private static final int TERMIOS_BYTES = 256;
    private static final int TCSADRAIN = 1;
    private static final long TIOCGWINSZ = 0x5413;
    private static final int INPUT = 0;
    private static final int OUTPUT = 1;

    private final Linker linker = Linker.nativeLinker();
    private final MethodHandle tcgetattr = find("tcgetattr", descriptor());
    private final MethodHandle tcsetattr = find(
            "tcsetattr",
            FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
    private final MethodHandle cfmakeraw = find("cfmakeraw", FunctionDescriptor.ofVoid(ValueLayout.ADDRESS));
    private final MethodHandle ioctl = linker.downcallHandle(
            linker.defaultLookup().findOrThrow("ioctl"),
            FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS),
            Linker.Option.firstVariadicArg(2));
    private final MemorySegment before = Arena.global().allocate(TERMIOS_BYTES, 8);
    private boolean raw;

    private MethodHandle find(String name, FunctionDescriptor descriptor) {
        return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), descriptor);
    }

    private static FunctionDescriptor descriptor() {
        return FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS);
    }

    /// `{rows, columns}`; empty where nobody knows.
    Map<String, Object> size() {
        try (var arena = Arena.ofConfined()) {
            var winsize = arena.allocate(8, 2);
            for (var fd : new int[] {OUTPUT, INPUT}) {
                var known = (int) ioctl.invokeExact(fd, TIOCGWINSZ, winsize);
                var rows = winsize.get(ValueLayout.JAVA_SHORT, 0) & 0xffff;
                var columns = winsize.get(ValueLayout.JAVA_SHORT, 2) & 0xffff;
                if (known == 0 && rows > 0 && columns > 0) {
                    return Map.of("rows", rows, "columns", columns);
                }
            }
            return Map.of();
        } catch (Throwable impossible) {
            throw new IllegalStateException("ask for the size of the terminal", impossible);
        }
    }

    /// From now on every key is passed on as it is, and nothing shown is changed, until [#restore].
    synchronized void makeRaw() {
        try (var arena = Arena.ofConfined()) {
            if (!raw && (int) tcgetattr.invokeExact(INPUT, before) != 0) {
                return;
            }
            var changed = arena.allocate(TERMIOS_BYTES, 8).copyFrom(before);
            cfmakeraw.invokeExact(changed);
            raw = (int) tcsetattr.invokeExact(INPUT, TCSADRAIN, changed) == 0;
        } catch (Throwable impossible) {
            throw new IllegalStateException("set the terminal to raw", impossible);
        }
    }

    /// As [#makeRaw], if it is meant to be: whoever stopped this command may have changed that.
    synchronized void makeRawAgain() {
        if (raw) {
            makeRaw();
        }
    }

    /// Makes it what it was; may be called by any thread, and more than once.
    synchronized void restore() {
        if (!raw) {
            return;
        }
        raw = false;
        try {
            var _ = (int) tcsetattr.invokeExact(INPUT, TCSADRAIN, before);
        } catch (Throwable impossible) {
            throw new IllegalStateException("restore the terminal", impossible);
        }
    }
}
