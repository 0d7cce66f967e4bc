package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Output;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/// A client that keeps each piece of output in a file as it comes, with the position behind it, and that goes on from
/// the last whole piece after it was killed.
final class KeptReading {
    /// Length of the data, position, offset.
    private static final int HEADER = Integer.BYTES + 2 * Long.BYTES;

    private final Path file;

    private record Piece(long at, long offset, ByteBuffer data) {}

    KeptReading(Path file) {
        this.file = file;
    }

    /// Reads on until the end of the job.
    void goOn(Execution execution) throws IOException, InterruptedException {
        try (var channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            var pieces = pieces(channel);
            var from = pieces.isEmpty() ? 0 : pieces.getLast().at();
            channel.truncate(channel.position());
            execution.read(from, true, output -> {
                switch (output) {
                    case Output.Bytes bytes -> append(channel, bytes);
                    case Output.Gap gap -> throw new AssertionError(gap);
                    case Output.Started _, Output.Progress _, Output.Heartbeat _, Output.Ended _ -> {}
                }
            });
        }
    }

    private static void append(FileChannel channel, Output.Bytes bytes) throws IOException {
        var piece = ByteBuffer.allocate(HEADER + bytes.length())
                .putInt(bytes.length())
                .putLong(bytes.at())
                .putLong(bytes.offset())
                .put(bytes.copy())
                .flip();
        while (piece.hasRemaining()) {
            channel.write(piece);
        }
    }

    /// Every whole piece; leaves the channel behind the last.
    private static List<Piece> pieces(FileChannel channel) throws IOException {
        var all = ByteBuffer.allocate((int) channel.size());
        while (all.hasRemaining() && channel.read(all, all.position()) > 0) {
            // the rest
        }
        all.flip();
        var pieces = new ArrayList<Piece>();
        var whole = 0;
        while (all.remaining() >= HEADER) {
            var length = all.getInt();
            var at = all.getLong();
            var offset = all.getLong();
            if (all.remaining() < length) {
                break;
            }
            pieces.add(new Piece(at, offset, all.slice(all.position(), length)));
            all.position(all.position() + length);
            whole = all.position();
        }
        channel.position(whole);
        return pieces;
    }

    /// Everything that was read; fails if a byte is missing or there twice.
    String text() throws IOException {
        var text = new StringBuilder();
        for (var piece : pieces()) {
            assertThat(piece.offset()).as("offset in " + file).isEqualTo(text.length());
            text.append(StandardCharsets.US_ASCII.decode(piece.data()));
        }
        return text.toString();
    }

    /// A position at which it once stood, and what it had read until there.
    Place anywhere(RandomGenerator random) throws IOException {
        var pieces = pieces();
        var last = pieces.get(random.nextInt(pieces.size()));
        return new Place(last.at(), (int) last.offset() + last.data().capacity());
    }

    record Place(long at, int bytes) {}

    private List<Piece> pieces() throws IOException {
        try (var channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return pieces(channel);
        }
    }
}
