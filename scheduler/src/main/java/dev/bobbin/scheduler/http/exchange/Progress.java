package dev.bobbin.scheduler.http.exchange;

import io.helidon.common.buffers.BufferData;
import io.helidon.common.buffers.DataReader;
import io.helidon.common.buffers.DataWriter;
import io.helidon.common.socket.HelidonSocket;
import io.helidon.common.socket.PeerInfo;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.ListenerContext;
import io.helidon.webserver.ProxyProtocolData;
import io.helidon.webserver.Router;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One connection, and since when its client owes something: the rest of a request that it began, or to take what is
/// sent to it.
public final class Progress implements ConnectionContext {
    /* Written by the connection's own thread, and read by the one that ends connections; a moment in which both are at
     * work is a minute too early or too late for nothing. A client owes
     *   a request, from the moment it connects: whoever never sends one cannot be told from one that is very slow;
     *   the rest of the head, from its first byte;
     *   the rest of a body, only where somebody waits for the whole of it: standard input and archives come as they come;
     *   the next bytes of the files of a build, which have a place that others need;
     *   to take a piece that is being written.
     * Between requests it owes nothing; that is Helidon's to end. */

    private static final long NEVER = Long.MAX_VALUE;
    /// What a body may take for each byte that has come, and a piece of an answer for each byte that it has.
    private static final long NANOS_A_BYTE = TimeUnit.SECONDS.toNanos(1) / (16 * 1024);

    private final ConnectionContext connection;
    private final DataReader reader = DataReader.create(this::pull);
    private final Writer writer;
    private volatile boolean betweenRequests;
    private volatile boolean bodyDue;
    private volatile long readingSince = System.nanoTime();
    private volatile long writingSince = NEVER;

    public Progress(ConnectionContext connection) {
        this.connection = connection;
        this.writer = new Writer(connection.dataWriter());
    }

    /// By which a request's connection is found.
    public String id() {
        return socketId() + " " + childSocketId();
    }

    /// The head of a request has come.
    public void headHasCome() {
        betweenRequests = false;
        readingSince = NEVER;
    }

    /// What was asked has been answered.
    ///
    /// @param bodyOpen whether it has a body of which the rest has to come, since nobody has read it to its end
    public void answered(boolean bodyOpen) {
        bodyDue = false;
        var owes = bodyOpen || reader.available() > 0;
        betweenRequests = !owes;
        readingSince = owes ? System.nanoTime() : NEVER;
    }

    /// From now on somebody waits for the whole body, or does not any more.
    void bodyDue(boolean due) {
        readingSince = due ? System.nanoTime() : NEVER;
        bodyDue = due;
    }

    /// Whether the client has owed something for longer than `patience`.
    public boolean isStalled(Duration patience) {
        return isOver(readingSince, patience) || isOver(writingSince, patience);
    }

    private static boolean isOver(long since, Duration patience) {
        return since != NEVER && System.nanoTime() - since > patience.toNanos();
    }

    public void end() {
        try {
            connection.serverSocket().close();
        } catch (RuntimeException _) {
            // it has ended already
        }
    }

    /// Something that waits for the client to take what is sent to it.
    interface Writing<E extends Exception> {
        void run() throws E;
    }

    /// Sends a piece of so many bytes to a connection, be it watched or not.
    static <E extends Exception> void writing(ConnectionContext connection, long length, Writing<E> piece) throws E {
        if (connection instanceof Progress progress) {
            progress.writing(length, piece);
        } else {
            piece.run();
        }
    }

    /// Sends a piece of so many bytes.
    <E extends Exception> void writing(long length, Writing<E> piece) throws E {
        writingSince = System.nanoTime() + length * NANOS_A_BYTE;
        try {
            piece.run();
        } finally {
            writingSince = NEVER;
        }
    }

    /// What the client sends next; nothing at the end.
    private byte @Nullable [] pull() {
        var original = connection.dataReader();
        try {
            original.ensureAvailable();
        } catch (DataReader.InsufficientDataAvailableException _) {
            return null;
        }
        var bytes = original.readBytes(original.available());
        if (betweenRequests) {
            betweenRequests = false;
            readingSince = System.nanoTime();
        } else if (bodyDue) {
            readingSince = Math.min(System.nanoTime(), readingSince + bytes.length * NANOS_A_BYTE);
        }
        return bytes;
    }

    @Override
    public DataReader dataReader() {
        return reader;
    }

    @Override
    public DataWriter dataWriter() {
        return writer;
    }

    @Override
    public ListenerContext listenerContext() {
        return connection.listenerContext();
    }

    @Override
    public ExecutorService executor() {
        return connection.executor();
    }

    @Override
    public Router router() {
        return connection.router();
    }

    @Override
    public Optional<ProxyProtocolData> proxyProtocolData() {
        return connection.proxyProtocolData();
    }

    @Override
    public HelidonSocket serverSocket() {
        return connection.serverSocket();
    }

    @Override
    public PeerInfo remotePeer() {
        return connection.remotePeer();
    }

    @Override
    public PeerInfo localPeer() {
        return connection.localPeer();
    }

    @Override
    public boolean isSecure() {
        return connection.isSecure();
    }

    @Override
    public String socketId() {
        return connection.socketId();
    }

    @Override
    public String childSocketId() {
        return connection.childSocketId();
    }

    /// Notes since when a piece is being written.
    private final class Writer implements DataWriter {
        private final DataWriter original;

        Writer(DataWriter original) {
            this.original = original;
        }

        private static int length(BufferData... buffers) {
            var length = 0;
            for (var buffer : buffers) {
                length += buffer.available();
            }
            return length;
        }

        @Override
        public void write(BufferData... buffers) {
            writing(length(buffers), () -> original.write(buffers));
        }

        @Override
        public void write(BufferData buffer) {
            writing(buffer.available(), () -> original.write(buffer));
        }

        @Override
        public void writeNow(BufferData... buffers) {
            writing(length(buffers), () -> original.writeNow(buffers));
        }

        @Override
        public void writeNow(BufferData buffer) {
            writing(buffer.available(), () -> original.writeNow(buffer));
        }

        @Override
        public void flush() {
            writing(0, original::flush);
        }

        @Override
        public void close() {
            original.close();
        }
    }
}
