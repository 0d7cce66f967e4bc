package dev.bobbin.image.archive;

import static dev.bobbin.image.ImageException.invalid;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Gives files the owner, permissions, attributes and time that their entry names, in the order in which the kernel
/// keeps them: a change of owner clears the setuid bit and the capabilities.
final class Metadata {
    private static final String CAPABILITY = "security.capability";
    private static final int REVISION = 0xff000000;
    private static final int REVISION_2 = 0x02000000;
    private static final int REVISION_3 = 0x03000000;
    private static final int LENGTH_2 = 20;
    private static final int LENGTH_3 = 24;
    private static final long LAST_ID = 0xfffffffeL;

    private Metadata() {}

    /// Whether an extended attribute is part of an image. Those of security modules and of overlayfs itself are the
    /// machine's own.
    static boolean isKept(String attribute) {
        return attribute.equals(CAPABILITY) || attribute.startsWith("user.");
    }

    /// For an open file.
    static void apply(int file, TarEntry entry) throws KernelException {
        Kernel.setOwner(file, id(entry.uid()), id(entry.gid()));
        Kernel.setPermissions(file, entry.permissions());
        setAttributes(file, entry);
        Kernel.setModified(file, entry.modified());
    }

    static void apply(Directory directory, TarEntry entry) throws KernelException {
        Kernel.setOwner(directory.descriptor(), id(entry.uid()), id(entry.gid()));
        Kernel.setPermissions(directory.descriptor(), entry.permissions());
        setAttributes(directory.descriptor(), entry);
        directory.setModified(entry.modified());
    }

    /// For what cannot be opened: a symbolic link, a device, a named pipe.
    static void apply(int directory, String name, TarEntry entry) throws KernelException {
        Kernel.setOwner(directory, name, id(entry.uid()), id(entry.gid()));
        if (entry.kind() != TarEntry.Kind.SYMBOLIC_LINK) {
            Kernel.setPermissions(directory, name, entry.permissions());
        }
        Kernel.setModified(directory, name, entry.modified());
    }

    private static void setAttributes(int file, TarEntry entry) throws KernelException {
        for (var attribute : entry.attributes()) {
            var isCapability = attribute.name().equals(CAPABILITY);
            if (isCapability && entry.kind() == TarEntry.Kind.FILE) {
                Kernel.setAttribute(file, CAPABILITY, capability(bytes(attribute)));
            } else if (!isCapability && isKept(attribute.name())) {
                Kernel.setAttribute(file, attribute.name(), bytes(attribute));
            }
        }
    }

    private static byte[] bytes(TarEntry.Attribute attribute) {
        return attribute.value().getBytes(StandardCharsets.ISO_8859_1);
    }

    /// The second revision of a capability set, which holds in whatever sandbox; the third names a user id of the
    /// machine it was made on.
    private static byte[] capability(byte[] value) {
        var view = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
        var revision = value.length < Integer.BYTES ? 0 : view.getInt(0) & REVISION;
        if (revision == REVISION_2 && value.length == LENGTH_2) {
            return value;
        }
        if (revision == REVISION_3 && value.length == LENGTH_3 && view.getInt(LENGTH_2) == 0) {
            view.putInt(0, (view.getInt(0) & ~REVISION) | REVISION_2);
            return Arrays.copyOf(view.array(), LENGTH_2);
        }
        throw invalid("file capabilities are of no form that an image may hold");
    }

    /// Any id is kept; a sandbox shows those above its own 65,536 as nobody's.
    private static int id(long id) {
        if (id < 0 || id > LAST_ID) {
            throw invalid("a user or group id is out of range: " + id);
        }
        return (int) id;
    }
}
