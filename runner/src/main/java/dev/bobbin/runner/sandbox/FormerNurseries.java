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
import java.util.Optional;
import java.util.function.Supplier;

/// Nurseries that servers of another build, or with other settings, started in the same run directory. Their sandboxes
/// go on; each ends after its last one.
final class FormerNurseries {
    static final String PREFIX = "nursery-";
    static final String CONTROL = "control";

    private static final System.Logger LOG = System.getLogger(FormerNurseries.class.getName());

    private final List<FrameChannel> channels;

    private FormerNurseries(List<FrameChannel> channels) {
        this.channels = List.copyOf(channels);
    }

    /// Those beside the one in `directory`, each of which will end as soon as it has no sandbox; what dead ones left is
    /// removed.
    static FormerNurseries beside(Path directory) throws IOException {
        var channels = new ArrayList<FrameChannel>();
        try (var others = Files.newDirectoryStream(directory.resolveSibling("."), PREFIX + "*")) {
            for (var other : others) {
                if (!other.getFileName().equals(directory.getFileName()) && Files.isDirectory(other)) {
                    reach(other).ifPresent(channels::add);
                }
            }
        }
        var former = new FormerNurseries(channels);
        former.tell(() -> new FieldsWriter().frame(Wire.FRAME_RETIRE));
        channels.forEach(channel -> Thread.ofVirtual().name("former-nursery").start(() -> hear(channel)));
        return former;
    }

    private static Optional<FrameChannel> reach(Path directory) throws IOException {
        var socket = directory.resolve(CONTROL);
        try {
            return Optional.of(FrameChannel.connect(socket));
        } catch (IOException _) {
            Files.deleteIfExists(socket);
            Files.deleteIfExists(directory);
            return Optional.empty();
        }
    }

    /// What it tells is known otherwise; but it must not wait for somebody to listen.
    private static void hear(FrameChannel channel) {
        try {
            while (channel.receive() != null) {
                // the next
            }
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "a former nursery has ended", e);
        }
    }

    /// Lets go of the claim on a range of user ids that is another nursery's from now on. A sandbox that runs holds its
    /// own.
    void free(int uidBase) {
        tell(() -> new FieldsWriter().u32(Wire.FIELD_UID_BASE, uidBase).frame(Wire.FRAME_FREE));
    }

    private void tell(Supplier<ByteBuffer> frame) {
        for (var channel : channels) {
            try {
                channel.send(frame.get());
            } catch (IOException e) {
                LOG.log(Level.DEBUG, "a former nursery has ended", e);
            }
        }
    }

    void close() {
        channels.forEach(FrameChannel::close);
    }
}
