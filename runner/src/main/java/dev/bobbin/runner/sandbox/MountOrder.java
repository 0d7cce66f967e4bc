package dev.bobbin.runner.sandbox;

import dev.bobbin.runner.Mount;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.wire.Wire;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/// One mount as the init is told of it: allowed, and named so that the kernel can find nothing else.
///
/// @param kind `MOUNT_…`
/// @param bytes of a tmpfs
/// @param base the machine's directory beneath which a bind is looked for, else empty
/// @param source a volume's id, or the path beneath `base`
/// @param target a path in the root
public record MountOrder(int kind, boolean readOnly, long bytes, String base, String source, String target) {

    /// The volume of this id.
    public static MountOrder volume(Mount.Volume mount, SandboxId id) {
        return new MountOrder(Wire.MOUNT_VOLUME, mount.readOnly(), 0, "", id.toString(), mount.target());
    }

    /// What [dev.bobbin.runner.volume.VolumeStore#take] took.
    public static MountOrder passing(SandboxId id, String target, boolean readOnly) {
        return new MountOrder(Wire.MOUNT_VOLUME, readOnly, 0, "", id.toString(), target);
    }

    /// Something of the machine.
    ///
    /// @param beneath where it is looked for below `base`
    public static MountOrder bind(Mount.Bind mount, Path base, Path beneath) {
        return new MountOrder(
                Wire.MOUNT_BIND, mount.readOnly(), 0, base.toString(), beneath.toString(), mount.target());
    }

    /// A directory in memory.
    ///
    /// @param usualBytes its size if it names none
    public static MountOrder tmpfs(Mount.Tmpfs mount, long usualBytes) {
        var bytes = mount.bytes() == 0 ? usualBytes : mount.bytes();
        return new MountOrder(Wire.MOUNT_TMPFS, false, bytes, "", "", mount.target());
    }

    byte[] encode() {
        var out = new ByteArrayOutputStream();
        out.writeBytes(ByteBuffer.allocate(2 * Integer.BYTES + Long.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(kind)
                .putInt(readOnly ? Wire.MOUNT_READ_ONLY : 0)
                .putLong(bytes)
                .array());
        for (var text : new String[] {base, source, target}) {
            out.writeBytes(text.getBytes(StandardCharsets.UTF_8));
            out.write(0);
        }
        return out.toByteArray();
    }
}
