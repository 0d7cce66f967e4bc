package dev.bobbin.runner.wire;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// A connection to the nursery or to a PID 1, perhaps one of an earlier build: it is answered in the protocol that it
/// spoke. Any thread may send; one thread at a time may receive. Blocking calls hold no carrier thread. Interrupting a
/// blocked thread closes the connection.
public final class FrameChannel implements AutoCloseable {
    private static final int FIRST_SIZE = 8 * 1024;
    /// Where a frame says it.
    private static final int PROTOCOL_AT = 6;

    private final SocketChannel channel;
    private final ReentrantLock sending = new ReentrantLock();
    private volatile byte protocol = Wire.PROTOCOL_OLDEST;
    private ByteBuffer received =
            ByteBuffer.allocate(FIRST_SIZE).order(ByteOrder.LITTLE_ENDIAN).flip();

    /// One frame as it came.
    public record Frame(int type, Fields fields) {}

    private FrameChannel(SocketChannel channel) {
        this.channel = channel;
    }

    public static FrameChannel connect(Path socket) throws IOException {
        var channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(socket));
            return new FrameChannel(channel);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    /// Sends one frame made by [FieldsWriter#frame].
    public void send(ByteBuffer frame) throws IOException {
        frame.put(frame.position() + PROTOCOL_AT, protocol);
        sending.lock();
        try {
            while (frame.hasRemaining()) {
                channel.write(frame);
            }
        } finally {
            sending.unlock();
        }
    }

    /// What the other side spoke last.
    public int protocol() {
        return protocol;
    }

    /// The next frame, or `null` once the other side has closed. The frame's values are its own.
    ///
    /// @throws WireException if it is not a frame of our protocol
    public @Nullable Frame receive() throws IOException {
        if (!fill(Wire.FRAME_HEADER)) {
            return null;
        }
        var length = received.getInt(received.position());
        var type = Short.toUnsignedInt(received.getShort(received.position() + 4));
        var spoken = received.get(received.position() + PROTOCOL_AT);
        if (length < 0 || length > Wire.FRAME_LONGEST) {
            throw new WireException("a frame of " + Integer.toUnsignedString(length) + " bytes");
        }
        if (spoken < Wire.PROTOCOL_OLDEST || spoken > Wire.PROTOCOL) {
            throw new WireException(
                    "protocol " + spoken + "; this server speaks " + Wire.PROTOCOL_OLDEST + " to " + Wire.PROTOCOL);
        }
        protocol = spoken;
        if (!fill(Wire.FRAME_HEADER + length)) {
            throw new WireException("the connection ended within a frame");
        }
        var payload = new byte[length];
        received.position(received.position() + Wire.FRAME_HEADER).get(payload);
        return new Frame(type, Fields.decode(ByteBuffer.wrap(payload)));
    }

    /// Reads until at least `wanted` bytes are there; false at a clean end.
    private boolean fill(int wanted) throws IOException {
        while (received.remaining() < wanted) {
            if (received.capacity() < wanted) {
                var larger = ByteBuffer.allocate(wanted).order(ByteOrder.LITTLE_ENDIAN);
                received = larger.put(received).flip();
            }
            received.compact();
            var count = channel.read(received);
            received.flip();
            if (count < 0) {
                if (received.hasRemaining()) {
                    throw new WireException("the connection ended within a frame");
                }
                return false;
            }
        }
        return true;
    }

    /// Whether it was not closed here.
    public boolean isOpen() {
        return channel.isOpen();
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException _) {
            // nothing can be done with a connection that does not close
        }
    }
}
