package dev.bobbin.runner.host;

import dev.bobbin.runner.SandboxEvent;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.wire.Fields;
import dev.bobbin.runner.wire.FieldsWriter;
import dev.bobbin.runner.wire.WireException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/// Events on disk: a version, then one record after the other, each with its length before it. A record that a killed
/// server did not write whole is as if it had never been. Written anew when it has twice as many as are kept. Of one
/// thread at a time.
final class EventFile {
    private static final int VERSION = 1;
    private static final int LONGEST = 64 * 1024;

    private static final int NUMBER = 1;
    private static final int AT_MILLIS = 2;
    private static final int SANDBOX = 3;
    private static final int TENANT = 4;
    private static final int NAME = 5;
    private static final int CHANGE = 6;
    private static final int DETAIL = 7;

    private final Path path;
    private final int kept;
    private FileChannel channel;
    private int written;

    private EventFile(Path path, int kept, FileChannel channel) {
        this.path = path;
        this.kept = kept;
        this.channel = channel;
    }

    static EventFile open(Path path, int kept) throws IOException {
        var channel = channel(path);
        if (channel.size() < Integer.BYTES) {
            channel.truncate(0);
            write(channel, version());
        }
        return new EventFile(path, kept, channel);
    }

    private static FileChannel channel(Path path) throws IOException {
        return FileChannel.open(
                path,
                Set.of(StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    }

    private static ByteBuffer version() {
        return ByteBuffer.allocate(Integer.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(VERSION)
                .flip();
    }

    private static void write(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /// The latest that are there, oldest first.
    ///
    /// @throws IOException if it is of a newer version
    List<SandboxEvent> read() throws IOException {
        var bytes = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
        var version = bytes.getInt();
        if (version != VERSION) {
            throw new IOException(path + " is of version " + version + "; this server reads version " + VERSION);
        }
        var events = new ArrayList<SandboxEvent>();
        var whole = bytes.position();
        while (bytes.remaining() >= Integer.BYTES) {
            var length = bytes.getInt();
            if (length <= 0 || length > LONGEST || length > bytes.remaining()) {
                break;
            }
            events.add(decode(bytes.slice(bytes.position(), length)));
            bytes.position(bytes.position() + length);
            whole = bytes.position();
        }
        channel.truncate(whole);
        channel.position(whole);
        written = events.size();
        return List.copyOf(events.subList(Math.max(0, events.size() - kept), events.size()));
    }

    /// @param all those that are kept, with this one
    void append(SandboxEvent event, Collection<SandboxEvent> all) throws IOException {
        if (written >= 2 * kept) {
            rewrite(all);
        } else {
            write(channel, encode(event));
            written++;
        }
    }

    private void rewrite(Collection<SandboxEvent> all) throws IOException {
        var aside = path.resolveSibling("." + path.getFileName());
        Files.deleteIfExists(aside);
        var fresh = channel(aside);
        write(fresh, version());
        for (var event : all) {
            write(fresh, encode(event));
        }
        Files.move(aside, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        channel.close();
        channel = fresh;
        written = all.size();
    }

    private static ByteBuffer encode(SandboxEvent event) {
        var fields = new FieldsWriter()
                .u64(NUMBER, event.number())
                .u64(AT_MILLIS, event.at().toEpochMilli())
                .text(SANDBOX, event.sandbox().toString())
                .text(TENANT, event.tenant())
                .text(CHANGE, event.change().name());
        if (event.name() != null) {
            fields.text(NAME, event.name());
        }
        if (event.detail() != null) {
            fields.text(DETAIL, event.detail());
        }
        var payload = fields.payload();
        return ByteBuffer.allocate(Integer.BYTES + payload.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(payload.length)
                .put(payload)
                .flip();
    }

    private static SandboxEvent decode(ByteBuffer bytes) throws IOException {
        try {
            var fields = Fields.decode(bytes);
            var id = fields.requireText(SANDBOX);
            return new SandboxEvent(
                    fields.requireU64(NUMBER),
                    Instant.ofEpochMilli(fields.requireU64(AT_MILLIS)),
                    SandboxId.parse(id).orElseThrow(() -> new WireException("no sandbox id: " + id)),
                    fields.requireText(TENANT),
                    fields.text(NAME).orElse(null),
                    SandboxEvent.Change.valueOf(fields.requireText(CHANGE)),
                    fields.text(DETAIL).orElse(null));
        } catch (IllegalArgumentException e) {
            throw new WireException("an event with a value that cannot be: " + e.getMessage());
        }
    }

    void close() {
        try {
            channel.close();
        } catch (IOException _) {
            // everything is written already
        }
    }
}
