package dev.bobbin.runner.host;

import dev.bobbin.image.TarFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/// Turns the entries of a tar archive into the records that `put` of files.c takes.
final class TarRecords implements TarFile.Sink {
    private static final int RECORD = 40;

    private final OutputStream to;

    TarRecords(OutputStream to) {
        this.to = to;
    }

    @Override
    public void file(TarFile entry, InputStream content) throws IOException {
        var name = bytes(entry.name());
        if (isItself(entry.name())) {
            // the directory it is put into stays as it is
            return;
        }
        var target = bytes(entry.target());
        var record = ByteBuffer.allocate(RECORD + name.length + target.length)
                .order(ByteOrder.nativeOrder())
                .putInt(letter(entry.kind()))
                .putInt(entry.permissions())
                .putInt(entry.uid())
                .putInt(entry.gid())
                .putLong(entry.kind() == TarFile.Kind.FILE ? entry.size() : 0)
                .putLong(TimeUnit.SECONDS.toNanos(entry.modifiedSeconds()))
                .putInt(name.length)
                .putInt(target.length)
                .put(name)
                .put(target);
        to.write(record.array());
        if (entry.kind() == TarFile.Kind.FILE) {
            content.transferTo(to);
        }
    }

    private static boolean isItself(String name) {
        return name.replace("./", "").replace("/", "").replaceFirst("^\\.$", "").isEmpty();
    }

    private static int letter(TarFile.Kind kind) {
        return switch (kind) {
            case FILE -> 'f';
            case DIRECTORY -> 'd';
            case SYMBOLIC_LINK -> 'l';
            case HARD_LINK -> 'h';
            case PIPE -> 'p';
            case DEVICE -> 'o';
        };
    }

    /// Names are bytes, one in each character.
    private static byte[] bytes(String name) {
        return name.getBytes(StandardCharsets.ISO_8859_1);
    }
}
