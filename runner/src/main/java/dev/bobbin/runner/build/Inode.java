package dev.bobbin.runner.build;

import dev.bobbin.image.TarFile;
import dev.bobbin.runner.kernel.ExtendedAttributes;
import dev.bobbin.runner.kernel.RawPath;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// What the kernel says of one file on this machine's disk, itself if it is a link.
record Inode(Path path, int type, int permissions, int uid, int gid, long size, long device, long number, int links) {
    private static final int TYPE = 0170000;
    private static final int DIRECTORY = 0040000;
    private static final int CHARACTER_DEVICE = 0020000;
    private static final int FILE = 0100000;
    private static final int LINK = 0120000;
    private static final int PIPE = 0010000;
    private static final int SOCKET = 0140000;

    private static final String CAPABILITY = "security.capability";
    private static final int REVISION = 0xff000000;
    private static final int REVISION_2 = 0x02000000;
    private static final int REVISION_3 = 0x03000000;
    private static final int LENGTH_2 = 20;

    static Inode of(Path path) throws IOException {
        var all = Files.readAttributes(path, "unix:mode,uid,gid,size,rdev,ino,nlink", LinkOption.NOFOLLOW_LINKS);
        var mode = number(all, "mode");
        return new Inode(
                path,
                (int) mode & TYPE,
                (int) mode & 07777,
                (int) number(all, "uid"),
                (int) number(all, "gid"),
                number(all, "size"),
                number(all, "rdev"),
                number(all, "ino"),
                (int) number(all, "nlink"));
    }

    private static long number(Map<String, Object> all, String name) {
        return all.get(name) instanceof Number number ? number.longValue() : 0;
    }

    static Optional<Inode> find(Path path) throws IOException {
        try {
            return Optional.of(of(path));
        } catch (NoSuchFileException _) {
            return Optional.empty();
        }
    }

    boolean isDirectory() {
        return type == DIRECTORY;
    }

    boolean isFile() {
        return type == FILE;
    }

    boolean isSocket() {
        return type == SOCKET;
    }

    /// Whether overlayfs hides what is below by it.
    boolean isWhiteout() {
        return type == CHARACTER_DEVICE && device == 0;
    }

    private Tree.Kind kind() {
        return switch (type) {
            case FILE -> Tree.Kind.FILE;
            case DIRECTORY -> Tree.Kind.DIRECTORY;
            case LINK -> Tree.Kind.LINK;
            case PIPE -> Tree.Kind.PIPE;
            default -> Tree.Kind.DEVICE;
        };
    }

    /// As an image has it.
    ///
    /// @param base what its ids are shifted by on this disk
    Tree.Node node(String name, int base) throws IOException {
        var target = type == LINK ? raw(Files.readSymbolicLink(path)) : "";
        return new Tree.Node(
                name,
                kind(),
                type == LINK ? 0777 : permissions,
                uid - base,
                gid - base,
                type == FILE ? size : 0,
                target,
                attributes(base),
                kind() == Tree.Kind.DEVICE ? numbers() : null);
    }

    /// Linux spreads its parts over the number, for the sake of old programs.
    private TarFile.Device numbers() {
        var major = (device >> 8 & 0xfff) | (device >> 32 & ~0xfffL);
        var minor = (device & 0xff) | (device >> 12 & 0xfff00);
        return new TarFile.Device(type == CHARACTER_DEVICE ? 'c' : 'b', (int) major, (int) minor);
    }

    /// A target is kept as the bytes it has, which a path made of it would not.
    private static String raw(Path target) {
        return target.isAbsolute() ? RawPath.text(target) : relative(target);
    }

    private static String relative(Path target) {
        var root = RawPath.text(Path.of("/").resolve(target));
        return root.substring(1);
    }

    /// Those that are part of an image: what overlayfs and security modules have noted is the machine's own.
    private Map<String, String> attributes(int base) throws IOException {
        if (type != FILE && type != DIRECTORY) {
            return Map.of();
        }
        var kept = new TreeMap<String, String>();
        for (var name : ExtendedAttributes.names(path)) {
            var isCapability = name.equals(CAPABILITY) && type == FILE;
            if (isCapability || name.startsWith("user.")) {
                ExtendedAttributes.value(path, name)
                        .ifPresent(value -> kept.put(
                                name,
                                new String(
                                        isCapability ? capability(value, base) : value, StandardCharsets.ISO_8859_1)));
            }
        }
        return kept;
    }

    /// The third revision names the user id of the sandbox's root; the second holds in whatever sandbox.
    private static byte[] capability(byte[] value, int base) {
        var view = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
        if (value.length == LENGTH_2 + Integer.BYTES
                && (view.getInt(0) & REVISION) == REVISION_3
                && view.getInt(LENGTH_2) == base) {
            view.putInt(0, (view.getInt(0) & ~REVISION) | REVISION_2);
            return Arrays.copyOf(value, LENGTH_2);
        }
        return value;
    }
}
