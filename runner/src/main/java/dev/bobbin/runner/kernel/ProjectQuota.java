package dev.bobbin.runner.kernel;

import com.sun.jna.Native;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;

/// The quota of one project on one file system: a number that directories carry and hand on to all that is made in
/// them, and what everything with that number may take together. ext4 and XFS have it where they are mounted with
/// `prjquota`.
///
/* The C functions with variable arguments are called as if they had fixed ones, which is the same on the 64-bit Linux
 * ABIs. */
public final class ProjectQuota {
    private static final boolean ARM = System.getProperty("os.arch").equals("aarch64");
    private static final int OPEN = (ARM ? 0x4000 : 0x10000) | (ARM ? 0x8000 : 0x20000) | 0x80000;

    private static final long QUOTACTL_FD = 443;
    private static final int PROJECTS = 2;
    private static final int STATE = (0x5805 << 8) | PROJECTS;
    private static final int GET = (0x800007 << 8) | PROJECTS;
    private static final int SET = (0x800008 << 8) | PROJECTS;
    /// Bytes of struct fs_quota_stat, and where it has which flag.
    private static final int STATE_SIZE = 128;

    private static final int STATE_FLAGS = 2;
    private static final int ENFORCED = 1 << 5;
    /// Bytes of struct if_dqblk, the unit of its limit of bytes, and which of its fields are meant.
    private static final int QUOTA_SIZE = 72;

    private static final int BLOCK = 1024;
    private static final int LIMITS = 1 | 4;

    /// FS_IOC_FSGETXATTR and FS_IOC_FSSETXATTR, with struct fsxattr.
    private static final long GET_ATTRIBUTES = 0x801c581fL;

    private static final long SET_ATTRIBUTES = 0x401c5820L;
    private static final int ATTRIBUTES_SIZE = 28;
    private static final int PROJECT = 12;
    private static final int HANDED_ON = 0x200;
    private static final int NO_ENTRY = 2;

    private ProjectQuota() {}

    /// The C library's functions, bound when first used: loading JNA takes a fifth of a second.
    private static final class Library {
        static {
            Native.register(Library.class, "c");
        }

        private Library() {}

        static native int open(byte[] path, int flags);

        static native int close(int descriptor);

        static native int ioctl(int descriptor, long request, byte[] argument);

        static native long syscall(long number, int descriptor, int command, int id, byte[] argument);

        static native String strerror(int number);
    }

    /// What everything of a project takes, and may take.
    ///
    /// @param mostBytes 0 if nothing limits it
    /// @param mostInodes likewise
    public record Use(long bytes, long inodes, long mostBytes, long mostInodes) {
        /// Whether nothing has this project, and nobody means to give it.
        public boolean isFree() {
            return bytes == 0 && inodes == 0 && mostBytes == 0 && mostInodes == 0;
        }
    }

    /// Whether the file system of `directory` keeps the limits of projects.
    public static boolean isKept(Path directory) throws IOException {
        return with(directory, file -> {
            var state = new byte[STATE_SIZE];
            return Library.syscall(QUOTACTL_FD, file, STATE, 0, state) == 0
                    && (buffer(state).getShort(STATE_FLAGS) & ENFORCED) != 0;
        });
    }

    /// What the project `id` of the file system of `directory` takes.
    public static Use use(Path directory, int id) throws IOException {
        return with(directory, file -> {
            var raw = new byte[QUOTA_SIZE];
            if (Library.syscall(QUOTACTL_FD, file, GET, id, raw) < 0) {
                var number = Native.getLastError();
                if (number == NO_ENTRY) {
                    return new Use(0, 0, 0, 0);
                }
                throw failure(number, "read the quota of project " + id, directory);
            }
            var quota = buffer(raw);
            return new Use(quota.getLong(16), quota.getLong(40), quota.getLong(0) * BLOCK, quota.getLong(24));
        });
    }

    /// Limits what the project `id` may take; 0 and 0 take the limits away.
    public static void limit(Path directory, int id, long bytes, long inodes) throws IOException {
        with(directory, file -> {
            var raw = new byte[QUOTA_SIZE];
            buffer(raw)
                    .putLong(0, Math.ceilDiv(bytes, (long) BLOCK))
                    .putLong(24, inodes)
                    .putInt(64, LIMITS);
            check(Library.syscall(QUOTACTL_FD, file, SET, id, raw), "set the quota of project " + id, directory);
            return id;
        });
    }

    /// Gives `directory`, and what will be made in it, to the project `id`.
    public static void give(Path directory, int id) throws IOException {
        with(directory, file -> {
            var raw = new byte[ATTRIBUTES_SIZE];
            check(Library.ioctl(file, GET_ATTRIBUTES, raw), "read the project", directory);
            var attributes = buffer(raw);
            attributes.putInt(0, attributes.getInt(0) | HANDED_ON).putInt(PROJECT, id);
            check(Library.ioctl(file, SET_ATTRIBUTES, raw), "set the project", directory);
            return id;
        });
    }

    private interface Call<T> {
        T on(int file) throws IOException;
    }

    private static <T> T with(Path directory, Call<T> call) throws IOException {
        var name = directory.toString().getBytes(StandardCharsets.UTF_8);
        var file = Library.open(Arrays.copyOf(name, name.length + 1), OPEN);
        check(file, "open", directory);
        try {
            return call.on(file);
        } finally {
            Library.close(file);
        }
    }

    private static ByteBuffer buffer(byte[] raw) {
        return ByteBuffer.wrap(raw).order(ByteOrder.nativeOrder());
    }

    private static void check(long result, String tried, Path directory) throws IOException {
        if (result < 0) {
            throw failure(Native.getLastError(), tried, directory);
        }
    }

    private static IOException failure(int number, String tried, Path directory) {
        return new IOException("could not " + tried + " of " + directory + ": " + Library.strerror(number));
    }
}
