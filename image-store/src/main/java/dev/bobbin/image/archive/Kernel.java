package dev.bobbin.image.archive;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// The system calls that Java has no words for. A file is named by a directory's descriptor and a path beneath it, one
/// character a byte; whoever opens a descriptor closes it.
///
/* The C functions with variable arguments are called as if they had fixed ones, which is the same on the 64-bit Linux
 * ABIs. Descriptors of directories come from openat2, which cannot leave the directory it starts from and meets no
 * symbolic link; a name without a slash cannot leave the directory it is used in. */
final class Kernel {
    static final int DIRECTORY = 0040000;
    static final int CHARACTER_DEVICE = 0020000;
    static final int BLOCK_DEVICE = 0060000;
    static final int SYMBOLIC_LINK = 0120000;
    static final int FILE = 0100000;
    static final int FIFO = 0010000;
    static final int TYPE = 0170000;

    private static final boolean ARM = System.getProperty("os.arch").equals("aarch64");
    private static final int WRITE_ONLY = 1;
    private static final int CREATE = 0x40;
    private static final int EXCLUSIVE = 0x80;
    private static final int CLOSE_ON_EXEC = 0x80000;
    private static final int OPEN_DIRECTORY = ARM ? 0x4000 : 0x10000;
    private static final int NO_FOLLOW = ARM ? 0x8000 : 0x20000;

    private static final int HERE = -100;
    private static final int LINK_ITSELF = 0x100;
    private static final int REMOVE_DIRECTORY = 0x200;
    private static final int REPLACE_NOTHING = 1;
    private static final int STATX_BASIC = 0x7ff;
    private static final int STATX_SIZE = 256;

    private static final int LONGEST_ATTRIBUTE = 64 * 1024;
    private static final long GETDENTS = ARM ? 61 : 217;
    private static final long OPENAT2 = 437;
    private static final long LANDLOCK_CREATE = 444;
    private static final long LANDLOCK_ADD = 445;
    private static final long LANDLOCK_RESTRICT = 446;
    private static final int LANDLOCK_VERSION = 1;
    private static final int LANDLOCK_BENEATH = 1;
    private static final int LANDLOCK_TRUNCATES = 3;
    /// Write, remove, make, rename and truncate files of every kind.
    private static final long LANDLOCK_CHANGES = (1 << 1) | (0x7ff << 4);

    private static final long NO_XDEV_MAGIC_SYMLINKS_BENEATH = 0x01 | 0x02 | 0x04 | 0x08;

    static {
        Native.register(Kernel.class, "c");
    }

    private Kernel() {}

    /// Opens the directory at a path of this machine.
    static int openDirectory(Path path) throws KernelException {
        var bytes =
                terminated(new String(path.toString().getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1));
        return checked(openat(HERE, bytes, OPEN_DIRECTORY | CLOSE_ON_EXEC, 0), "open the directory", path.toString());
    }

    /// Opens the directory `path` beneath `directory`; a symbolic link or mount on the way is an error.
    static int openDirectory(int directory, String path) throws KernelException {
        var how = ByteBuffer.allocate(24).order(ByteOrder.nativeOrder());
        how.putLong(OPEN_DIRECTORY | NO_FOLLOW | CLOSE_ON_EXEC).putLong(0).putLong(NO_XDEV_MAGIC_SYMLINKS_BENEATH);
        var name = terminated(path.isEmpty() ? "." : path);
        return checked((int) syscall(OPENAT2, directory, name, how.array(), 24), "open the directory", path);
    }

    /// Opens the file `path` beneath `directory` for reading.
    static int openFile(int directory, String path) throws KernelException {
        var how = ByteBuffer.allocate(24).order(ByteOrder.nativeOrder());
        how.putLong(NO_FOLLOW | CLOSE_ON_EXEC).putLong(0).putLong(NO_XDEV_MAGIC_SYMLINKS_BENEATH);
        return checked((int) syscall(OPENAT2, directory, terminated(path), how.array(), 24), "open", path);
    }

    /// Makes a file that was not there, for writing.
    static int createFile(int directory, String name) throws KernelException {
        var flags = WRITE_ONLY | CREATE | EXCLUSIVE | NO_FOLLOW | CLOSE_ON_EXEC;
        return checked(openat(directory, terminated(name), flags, 0600), "create", name);
    }

    static void makeDirectory(int directory, String name) throws KernelException {
        checked(mkdirat(directory, terminated(name), 0700), "make the directory", name);
    }

    static void makeLink(int directory, String name, String target) throws KernelException {
        checked(symlinkat(terminated(target), directory, terminated(name)), "make the symbolic link", name);
    }

    /// Gives the file at `path` beneath `from`, which may be a symbolic link, a second name.
    static void makeHardLink(int from, String path, int directory, String name) throws KernelException {
        checked(linkat(from, terminated(path), directory, terminated(name), 0), "make the hard link", name);
    }

    /// Gives a file another place, where nothing is yet.
    static void move(int from, String name, int directory, String newName) throws KernelException {
        var moved = renameat2(from, terminated(name), directory, terminated(newName), REPLACE_NOTHING);
        checked(moved, "put to its place", newName);
    }

    /// Makes a device or a named pipe.
    static void makeNode(int directory, String name, int type, int major, int minor) throws KernelException {
        var device = ((major & 0xfffff000L) << 32)
                | ((major & 0xfffL) << 8)
                | ((minor & 0xffffff00L) << 12)
                | (minor & 0xffL);
        checked(mknodat(directory, terminated(name), type | 0600, device), "make the node", name);
    }

    static void remove(int directory, String name) throws KernelException {
        checked(unlinkat(directory, terminated(name), 0), "remove", name);
    }

    static void removeDirectory(int directory, String name) throws KernelException {
        checked(unlinkat(directory, terminated(name), REMOVE_DIRECTORY), "remove the directory", name);
    }

    /// Writes all that remains in `buffer`, a direct one, at `position` of the file.
    static void write(int file, ByteBuffer buffer, long position) throws KernelException {
        while (buffer.hasRemaining()) {
            var wrote = pwrite(file, buffer.slice(), buffer.remaining(), position);
            checked(wrote < 0 ? -1 : 0, "write", "");
            buffer.position(buffer.position() + (int) wrote);
            position += wrote;
        }
    }

    static void truncate(int file, long size) throws KernelException {
        checked(ftruncate(file, size), "set the size", "");
    }

    static void setOwner(int file, int uid, int gid) throws KernelException {
        checked(fchown(file, uid, gid), "set the owner", "");
    }

    static void setOwner(int directory, String name, int uid, int gid) throws KernelException {
        checked(fchownat(directory, terminated(name), uid, gid, LINK_ITSELF), "set the owner of", name);
    }

    static void setPermissions(int file, int permissions) throws KernelException {
        checked(fchmod(file, permissions), "set the permissions", "");
    }

    /// The file is known not to be a symbolic link: this call would follow one.
    static void setPermissions(int directory, String name, int permissions) throws KernelException {
        checked(fchmodat(directory, terminated(name), permissions, 0), "set the permissions of", name);
    }

    static void setModified(int file, Status.Time time) throws KernelException {
        checked(futimens(file, times(time)), "set the time", "");
    }

    static void setModified(int directory, String name, Status.Time time) throws KernelException {
        checked(utimensat(directory, terminated(name), times(time), LINK_ITSELF), "set the time of", name);
    }

    static void setAttribute(int file, String name, byte[] value) throws KernelException {
        checked(fsetxattr(file, terminated(name), value, value.length, 0), "set the attribute", name);
    }

    /// Whether an extended attribute is there and is just `value`.
    static boolean hasAttribute(int file, String name, char value) {
        var found = new byte[1];
        return fgetxattr(file, terminated(name), found, 1) == 1 && found[0] == value;
    }

    static byte[] attribute(int file, String name) throws KernelException {
        var value = new byte[LONGEST_ATTRIBUTE];
        var size = fgetxattr(file, terminated(name), value, value.length);
        checked(size < 0 ? -1 : 0, "read the attribute", name);
        return Arrays.copyOf(value, (int) size);
    }

    /// Gives `to` the extended attributes of `from` that `wanted` holds for.
    static void copyAttributes(int from, int to, Predicate<String> wanted) throws KernelException {
        var names = new byte[LONGEST_ATTRIBUTE];
        var length = flistxattr(from, names, names.length);
        checked(length < 0 ? -1 : 0, "list the attributes", "");
        for (var name : Names.of(names, 0, (int) length).split("\0", -1)) {
            if (!name.isEmpty() && wanted.test(name)) {
                setAttribute(to, name, attribute(from, name));
            }
        }
    }

    /// Appends all content of one file to another.
    static void copyContent(int from, int to) throws KernelException {
        long copied;
        do {
            copied = copy_file_range(from, null, to, null, 1 << 30, 0);
            checked(copied < 0 ? -1 : 0, "copy", "");
        } while (copied > 0);
    }

    /// The names in a directory.
    static List<String> names(int directory, String path) throws KernelException {
        var opened = openDirectory(directory, path);
        try {
            var names = new ArrayList<String>();
            var raw = new byte[32 * 1024];
            long length;
            while ((length = syscall(GETDENTS, opened, raw, raw.length)) > 0) {
                addNames(raw, (int) length, names);
            }
            checked(length < 0 ? -1 : 0, "list", path);
            return names;
        } finally {
            close(opened);
        }
    }

    private static void addNames(byte[] raw, int length, List<String> names) {
        var view = ByteBuffer.wrap(raw).order(ByteOrder.nativeOrder());
        for (var at = 0; at < length; at += Short.toUnsignedInt(view.getShort(at + 16))) {
            var end = at + 19;
            while (raw[end] != 0) {
                end++;
            }
            var name = Names.of(raw, at + 19, end - at - 19);
            if (!name.equals(".") && !name.equals("..")) {
                names.add(name);
            }
        }
    }

    /// What `path` beneath `directory` is, nothing if it is not there.
    static @Nullable Status status(int directory, String path) throws KernelException {
        var raw = new byte[STATX_SIZE];
        if (statx(directory, terminated(path.isEmpty() ? "." : path), LINK_ITSELF, STATX_BASIC, raw) < 0) {
            if (Native.getLastError() == KernelException.NO_ENTRY) {
                return null;
            }
            throw failure("look at", path);
        }
        var view = ByteBuffer.wrap(raw).order(ByteOrder.nativeOrder());
        var modified = new Status.Time(view.getLong(112), view.getInt(120));
        return new Status(
                Short.toUnsignedInt(view.getShort(28)),
                view.getInt(20),
                view.getInt(24),
                view.getInt(128),
                view.getInt(132),
                view.getLong(32),
                modified);
    }

    /// Where the symbolic link `path` beneath `directory` points.
    static String target(int directory, String path) throws KernelException {
        var target = new byte[4096];
        var length = readlinkat(directory, terminated(path), target, target.length);
        checked(length < 0 ? -1 : 0, "read the symbolic link", path);
        return new String(target, 0, (int) length, StandardCharsets.ISO_8859_1);
    }

    /// Writes what the file system of `file` holds in memory to the disk.
    static void synchronizeFileSystem(int file) throws KernelException {
        checked(syncfs(file), "write the file system to the disk", "");
    }

    /// Whether the kernel can keep a thread from writing outside of a directory: Landlock as of Linux 6.2.
    static boolean canConfine() {
        return syscall(LANDLOCK_CREATE, null, 0, LANDLOCK_VERSION) >= LANDLOCK_TRUNCATES;
    }

    /// Takes the right to change files anywhere but beneath `directory` from the calling thread, for good.
    static void confineThread(int directory) throws KernelException {
        var handled = ByteBuffer.allocate(8).order(ByteOrder.nativeOrder()).putLong(LANDLOCK_CHANGES);
        var rules = checked((int) syscall(LANDLOCK_CREATE, handled.array(), 8, 0), "make a Landlock rule set", "");
        try {
            var rule = ByteBuffer.allocate(12).order(ByteOrder.nativeOrder()).putLong(LANDLOCK_CHANGES);
            rule.putInt(directory);
            var added = syscall(LANDLOCK_ADD, rules, LANDLOCK_BENEATH, rule.array(), 0);
            checked((int) added, "add a Landlock rule", "");
            checked((int) syscall(LANDLOCK_RESTRICT, rules, 0), "confine the thread", "");
        } finally {
            close(rules);
        }
    }

    private static long[] times(Status.Time time) {
        return new long[] {time.seconds(), time.nanos(), time.seconds(), time.nanos()};
    }

    private static byte[] terminated(String text) {
        return Arrays.copyOf(text.getBytes(StandardCharsets.ISO_8859_1), text.length() + 1);
    }

    private static int checked(int result, String tried, String name) throws KernelException {
        if (result < 0) {
            throw failure(tried, name);
        }
        return result;
    }

    private static KernelException failure(String tried, String name) {
        var number = Native.getLastError();
        var what = name.isEmpty() ? tried : tried + " " + Names.shown(name);
        return new KernelException(what, number, strerror(number));
    }

    private static native int openat(int directory, byte[] path, int flags, int mode);

    private static native long syscall(long number, int directory, byte[] path, byte[] how, long size);

    private static native long syscall(long number, int directory, byte[] names, long size);

    private static native long syscall(long number, byte @Nullable [] attributes, long size, int flags);

    private static native long syscall(long number, int rules, int kind, byte[] rule, int flags);

    private static native long syscall(long number, int rules, int flags);

    private static native int mkdirat(int directory, byte[] path, int mode);

    private static native int symlinkat(byte[] target, int directory, byte[] path);

    private static native int linkat(int from, byte[] path, int to, byte[] name, int flags);

    private static native int renameat2(int from, byte[] name, int directory, byte[] newName, int flags);

    private static native int mknodat(int directory, byte[] path, int mode, long device);

    private static native int unlinkat(int directory, byte[] path, int flags);

    private static native long pwrite(int file, ByteBuffer buffer, long length, long position);

    private static native long copy_file_range(
            int from, @Nullable Pointer fromAt, int to, @Nullable Pointer toAt, long length, int flags);

    private static native int ftruncate(int file, long size);

    private static native int fchown(int file, int uid, int gid);

    private static native int fchownat(int directory, byte[] path, int uid, int gid, int flags);

    private static native int fchmod(int file, int mode);

    private static native int fchmodat(int directory, byte[] path, int mode, int flags);

    private static native int futimens(int file, long[] times);

    private static native int utimensat(int directory, byte[] path, long[] times, int flags);

    private static native int fsetxattr(int file, byte[] name, byte[] value, long size, int flags);

    private static native long flistxattr(int file, byte[] names, long size);

    private static native long fgetxattr(int file, byte[] name, byte[] value, long size);

    private static native int statx(int directory, byte[] path, int flags, int mask, byte[] status);

    private static native long readlinkat(int directory, byte[] path, byte[] target, long size);

    private static native int syncfs(int file);

    static native int close(int descriptor);

    private static native String strerror(int number);
}
