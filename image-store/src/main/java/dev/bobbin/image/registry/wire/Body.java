package dev.bobbin.image.registry.wire;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;

/// The bytes of an answer, cut out of the connection as its framing says. The connection is free for the next exchange
/// as soon as the last byte was read; closing early ends it.
final class Body extends InputStream {
    private final Connection connection;
    private final Framing framing;
    private final long length;
    private long left;
    private boolean begun;
    private boolean ended;
    private boolean whole;

    private Body(Connection connection, Framing framing, long length) {
        this.connection = connection;
        this.framing = framing;
        this.length = length;
        this.left = Math.max(0, length);
        if (framing == Framing.LENGTH && length == 0) {
            end(true);
        }
    }

    static Body of(Connection connection, long length) {
        return new Body(connection, Framing.LENGTH, length);
    }

    static Body chunked(Connection connection) {
        return new Body(connection, Framing.CHUNKS, -1);
    }

    static Body untilClose(Connection connection) {
        return new Body(connection, Framing.CLOSE, -1);
    }

    /// The announced length, or -1.
    long length() {
        return length;
    }

    @Override
    public int read() throws IOException {
        var one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int count) throws IOException {
        Objects.checkFromIndexSize(offset, count, bytes.length);
        if (ended) {
            return -1;
        }
        if (count == 0) {
            return 0;
        }
        try {
            return advance(bytes, offset, count);
        } catch (IOException e) {
            end(false);
            throw e;
        }
    }

    private int advance(byte[] bytes, int offset, int count) throws IOException {
        if (framing == Framing.CHUNKS && left == 0) {
            left = nextChunk();
            if (left == 0) {
                connection.skipTrailers();
                end(true);
                return -1;
            }
        }
        var want = framing == Framing.CLOSE ? count : (int) Math.min(count, left);
        var got = connection.read(bytes, offset, want);
        if (got < 0) {
            end(false);
            if (framing == Framing.CLOSE) {
                return -1;
            }
            throw new EOFException("the server broke off in the middle of its answer");
        }
        left -= framing == Framing.CLOSE ? 0 : got;
        if (framing == Framing.LENGTH && left == 0) {
            end(true);
        }
        return got;
    }

    private long nextChunk() throws IOException {
        if (begun && !connection.line(2).isEmpty()) {
            throw new IOException("a chunk of the answer does not end where it said");
        }
        begun = true;
        var line = connection.line(1024);
        var semicolon = line.indexOf(';');
        var size = (semicolon < 0 ? line : line.substring(0, semicolon)).strip();
        if (size.isEmpty() || size.length() > 15 || !size.chars().allMatch(c -> Character.digit(c, 16) >= 0)) {
            throw new IOException("the answer has a chunk without a size");
        }
        return Long.parseLong(size, 16);
    }

    /// Whether the last byte was read, and was known to be the last.
    boolean whole() {
        return whole;
    }

    private void end(boolean proper) {
        if (!ended) {
            ended = true;
            whole = proper;
            connection.release(proper);
        }
    }

    @Override
    public void close() {
        end(false);
    }

    private enum Framing {
        LENGTH,
        CHUNKS,
        CLOSE
    }
}
