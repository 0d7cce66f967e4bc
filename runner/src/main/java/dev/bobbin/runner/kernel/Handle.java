package dev.bobbin.runner.kernel;

import com.sun.jna.Native;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;

/// An open file or directory of this machine. What is opened beneath a directory lies beneath it, whatever symbolic
/// links say and whoever moves things meanwhile.
///
/* The C functions with variable arguments are called as if they had fixed ones, which is the same on the 64-bit Linux
 * ABIs. */
public final class Handle implements AutoCloseable {
    private static final boolean ARM = System.getProperty("os.arch").equals("aarch64");
    private static final int WRITE_ONLY = 1;
    private static final int CREATE = 0x40 | 0x80;
    private static final int NEVER_WAIT = 0x800;
    private static final int DIRECTORY = ARM ? 0x4000 : 0x10000;
    private static final int NO_FOLLOW = ARM ? 0x8000 : 0x20000;
    private static final int CLOSE_ON_EXEC = 0x80000;
    private static final long BENEATH = 0x08 | 0x02;
    private static final long OPENAT2 = 437;
    private static final int HOW_SIZE = 24;
    private static final int READABLE = 0644;

    private final int descriptor;

    private Handle(int descriptor) {
        this.descriptor = descriptor;
    }

    /// The C library's functions, bound when first used: loading JNA takes a fifth of a second.
    private static final class Library {
        static {
            Native.register(Library.class, "c");
        }

        private Library() {}

        static native int open(byte[] path, int flags);

        static native long syscall(long number, int directory, byte[] path, byte[] how, long size);

        static native int renameat(int from, byte[] name, int to, byte[] newName);

        static native int unlinkat(int directory, byte[] name, int flags);

        static native int close(int descriptor);

        static native String strerror(int number);
    }

    /// The directory at a path that is trusted.
    public static Handle directory(Path path) throws IOException {
        var opened = Library.open(terminated(path.toString()), DIRECTORY | CLOSE_ON_EXEC);
        return new Handle((int) checked(opened, "open", path.toString()));
    }

    /// A directory beneath this one.
    public Handle directory(String path) throws IOException {
        return open(path.isEmpty() ? "." : path, DIRECTORY, 0);
    }

    /// What is there to be read, beneath this directory; not its end, if it is a pipe that nobody writes to.
    public Handle file(String path) throws IOException {
        return open(path, NEVER_WAIT, 0);
    }

    /// What is in this directory under a name: never what a symbolic link of that name leads to.
    public Handle own(String name) throws IOException {
        return open(name, NEVER_WAIT | NO_FOLLOW, 0);
    }

    /// A new file in this directory, to be written.
    public Handle create(String name) throws IOException {
        return open(name, WRITE_ONLY | CREATE | NO_FOLLOW, READABLE);
    }

    private Handle open(String path, int flags, int mode) throws IOException {
        var how = ByteBuffer.allocate(HOW_SIZE).order(ByteOrder.nativeOrder());
        how.putLong(flags | CLOSE_ON_EXEC).putLong(mode).putLong(BENEATH);
        var opened = Library.syscall(OPENAT2, descriptor, terminated(path), how.array(), HOW_SIZE);
        return new Handle((int) checked(opened, "open", path));
    }

    /// Gives a file in this directory another name, in place of what has it.
    public void rename(String name, String newName) throws IOException {
        checked(
                Library.renameat(descriptor, terminated(name), descriptor, terminated(newName)),
                "put to its place",
                newName);
    }

    /// Removes a file from this directory.
    public void remove(String name) throws IOException {
        checked(Library.unlinkat(descriptor, terminated(name), 0), "remove", name);
    }

    /// By which Java finds it while it is open.
    public Path path() {
        return Path.of("/proc/self/fd", Integer.toString(descriptor));
    }

    @Override
    public void close() {
        Library.close(descriptor);
    }

    private static byte[] terminated(String text) {
        var bytes = text.getBytes(StandardCharsets.UTF_8);
        return Arrays.copyOf(bytes, bytes.length + 1);
    }

    private static long checked(long result, String tried, String path) throws IOException {
        if (result < 0) {
            throw new IOException(tried + " " + path + ": "
                    + Library.strerror(Native.getLastError()).toLowerCase(Locale.ROOT));
        }
        return result;
    }
}
