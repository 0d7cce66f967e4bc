package dev.bobbin.runner.net.dns;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// Takes queries by TCP, those of a connection one after the other.
final class StreamDoor implements AutoCloseable {
    private static final int CONNECTIONS_EACH = 16;
    private static final int CONNECTIONS = 512;
    private static final Duration IDLE = Duration.ofSeconds(10);
    /// How long an answer may take to be read by the other.
    private static final Duration WRITING = Duration.ofSeconds(10);
    /// How old a connection may be when others want its place.
    private static final Duration OLD = Duration.ofSeconds(30);

    /// After what should not happen, lest it happen without end.
    private static final long PAUSE_NANOS = 10_000_000;

    private final ServerSocket listener;
    private final Desk desk;
    private final Map<InetAddress, Integer> perSource = new HashMap<>();
    /// Since when each is, the oldest first.
    private final Map<Socket, Long> open = new LinkedHashMap<>();

    private StreamDoor(ServerSocket listener, Desk desk) {
        this.listener = listener;
        this.desk = desk;
    }

    static StreamDoor open(ServerSocket listener, Desk desk) {
        var door = new StreamDoor(listener, desk);
        Thread.ofVirtual().name("dns-streams").start(door::accept);
        return door;
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                var socket = listener.accept();
                if (entered(socket)) {
                    Thread.ofVirtual().name("dns-stream").start(() -> serve(socket));
                } else {
                    socket.close();
                }
            } catch (IOException _) {
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
    }

    private synchronized boolean entered(Socket socket) {
        var source = socket.getInetAddress();
        if (listener.isClosed() || perSource.getOrDefault(source, 0) >= CONNECTIONS_EACH) {
            return false;
        }
        if (open.size() >= CONNECTIONS) {
            closeOldest();
        }
        if (open.size() >= CONNECTIONS) {
            return false;
        }
        perSource.merge(source, 1, Integer::sum);
        open.put(socket, System.nanoTime());
        return true;
    }

    /// If it is old.
    private void closeOldest() {
        var oldest = open.entrySet().iterator().next();
        if (System.nanoTime() - oldest.getValue() > OLD.toNanos()) {
            var socket = oldest.getKey();
            left(socket);
            close(socket);
        }
    }

    private synchronized void left(Socket socket) {
        if (open.remove(socket) != null) {
            perSource.computeIfPresent(socket.getInetAddress(), (_, count) -> count > 1 ? count - 1 : null);
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            while (true) {
                var query = Stream.read(socket, Desk.LONGEST_QUERY, System.nanoTime() + IDLE.toNanos());
                var visit = query.flatMap(_ -> desk.visit(socket.getInetAddress()));
                if (query.isEmpty() || visit.isEmpty()) {
                    return;
                }
                var answer = answer(visit.get(), query.get());
                if (answer.isEmpty()) {
                    return;
                }
                write(socket, answer.get());
            }
        } catch (IOException _) {
            // the other has gone, or says nothing
        } finally {
            left(socket);
        }
    }

    private static Optional<byte[]> answer(Desk.Visit visit, ByteBuffer query) {
        try (visit) {
            return visit.answer(query, false);
        }
    }

    /// Ends the connection if the other does not read.
    private static void write(Socket socket, byte[] answer) throws IOException {
        var written = new CompletableFuture<Void>();
        var _ = written.orTimeout(WRITING.toMillis(), TimeUnit.MILLISECONDS).whenComplete((_, late) -> {
            if (late != null) {
                close(socket);
            }
        });
        try {
            Stream.write(socket.getOutputStream(), answer);
        } finally {
            written.complete(null);
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException _) {
            // as good as closed
        }
    }

    @Override
    public void close() {
        try {
            listener.close();
        } catch (IOException _) {
            // it takes no more connections either way
        }
        synchronized (this) {
            open.keySet().forEach(StreamDoor::close);
        }
    }
}
