package dev.bobbin.runner.net.dns;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/// Takes queries by TCP, those of a connection one after the other.
final class StreamDoor implements AutoCloseable {
    private static final int CONNECTIONS_EACH = 16;
    private static final int CONNECTIONS = 512;
    private static final Duration IDLE = Duration.ofSeconds(10);

    /// After what should not happen, lest it happen without end.
    private static final long PAUSE_NANOS = 10_000_000;

    private final ServerSocket listener;
    private final Desk desk;
    private final Map<InetAddress, Integer> perSource = new HashMap<>();
    private final Set<Socket> open = new HashSet<>();

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
        if (listener.isClosed()
                || open.size() >= CONNECTIONS
                || perSource.getOrDefault(source, 0) >= CONNECTIONS_EACH) {
            return false;
        }
        perSource.merge(source, 1, Integer::sum);
        return open.add(socket);
    }

    private synchronized void left(Socket socket) {
        if (open.remove(socket)) {
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
                try (var visiting = visit.get()) {
                    var answer = visiting.answer(query.get(), false);
                    if (answer.isEmpty()) {
                        return;
                    }
                    Stream.write(socket.getOutputStream(), answer.get());
                }
            }
        } catch (IOException _) {
            // the other has gone, or says nothing
        } finally {
            left(socket);
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
            for (var socket : open) {
                try {
                    socket.close();
                } catch (IOException _) {
                    // as good as closed
                }
            }
        }
    }
}
