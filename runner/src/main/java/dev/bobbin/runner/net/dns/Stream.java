package dev.bobbin.runner.net.dns;

import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;

/// Messages on a TCP connection, each after its length. Times are those of [System#nanoTime].
final class Stream {
    private static final int LENGTH = 2;

    private Stream() {}

    /// The bytes of the next message, at most `most`; empty if the other has closed.
    static Optional<ByteBuffer> read(Socket socket, int most, long until) throws IOException {
        var length = new byte[LENGTH];
        if (fill(socket, length, until) == 0) {
            return Optional.empty();
        }
        var size = ((length[0] & 0xff) << 8) | (length[1] & 0xff);
        if (size > most) {
            throw new MalformedException("a message of " + size + " bytes");
        }
        var bytes = new byte[size];
        if (fill(socket, bytes, until) < bytes.length) {
            throw new EOFException();
        }
        return Optional.of(ByteBuffer.wrap(bytes));
    }

    /// As many bytes as there is room for; 0 if the other has closed.
    private static int fill(Socket socket, byte[] bytes, long until) throws IOException {
        var filled = 0;
        while (filled < bytes.length) {
            socket.setSoTimeout(timeout(until));
            var read = socket.getInputStream().read(bytes, filled, bytes.length - filled);
            if (read < 0 && filled > 0) {
                throw new EOFException();
            }
            if (read < 0) {
                return 0;
            }
            filled += read;
        }
        return filled;
    }

    /// In one piece, which is how some readers need it.
    static void write(OutputStream out, byte[] message) throws IOException {
        var framed = new byte[LENGTH + message.length];
        framed[0] = (byte) (message.length >>> 8);
        framed[1] = (byte) message.length;
        System.arraycopy(message, 0, framed, LENGTH, message.length);
        out.write(framed);
    }

    /// What is left in milliseconds, as sockets take it.
    static int timeout(long until) throws SocketTimeoutException {
        var left = millisLeft(until);
        if (left <= 0) {
            throw new SocketTimeoutException();
        }
        return (int) left;
    }

    static long millisLeft(long until) {
        return Duration.ofNanos(until - System.nanoTime()).toMillis();
    }
}
