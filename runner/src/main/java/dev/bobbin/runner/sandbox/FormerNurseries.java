package dev.bobbin.runner.sandbox;

import dev.bobbin.runner.wire.FieldsWriter;
import dev.bobbin.runner.wire.FrameChannel;
import dev.bobbin.runner.wire.Wire;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/// Nurseries that servers of another build, or with other settings, started in the same run directory. Their sandboxes
/// go on; each ends after its last one.
final class FormerNurseries {
    static final String PREFIX = "nursery-";
    static final String CONTROL = "control";

    private static final System.Logger LOG = System.getLogger(FormerNurseries.class.getName());

    private final List<Path> sockets;

    private FormerNurseries(List<Path> sockets) {
        this.sockets = List.copyOf(sockets);
    }

    /// Those beside the one in `directory`; what dead ones left is removed.
    static FormerNurseries beside(Path directory) throws IOException {
        var sockets = new ArrayList<Path>();
        try (var others = Files.newDirectoryStream(directory.resolveSibling("."), PREFIX + "*")) {
            for (var other : others) {
                var socket = other.resolve(CONTROL);
                if (other.getFileName().equals(directory.getFileName()) || !Files.isDirectory(other)) {
                    continue;
                }
                if (lives(socket)) {
                    sockets.add(socket);
                } else {
                    Files.deleteIfExists(socket);
                    Files.deleteIfExists(other);
                }
            }
        }
        return new FormerNurseries(sockets);
    }

    private static boolean lives(Path socket) {
        try {
            FrameChannel.connect(socket).close();
            return true;
        } catch (IOException _) {
            return false;
        }
    }

    /// Lets each end as soon as it has no sandbox.
    void retire() {
        tell(() -> new FieldsWriter().frame(Wire.FRAME_RETIRE));
    }

    /// Lets go of the claim on a range of user ids that is another nursery's from now on. A sandbox that runs holds its
    /// own.
    void free(int uidBase) {
        tell(() -> new FieldsWriter().u32(Wire.FIELD_UID_BASE, uidBase).frame(Wire.FRAME_FREE));
    }

    private void tell(Supplier<ByteBuffer> frame) {
        for (var socket : sockets) {
            try (var channel = FrameChannel.connect(socket)) {
                channel.send(frame.get());
            } catch (IOException e) {
                LOG.log(Level.DEBUG, socket + " has ended", e);
            }
        }
    }
}
