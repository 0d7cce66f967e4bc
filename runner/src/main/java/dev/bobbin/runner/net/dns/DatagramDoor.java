package dev.bobbin.runner.net.dns;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;

/// Takes queries by UDP. One thread receives; each query has one of its own.
final class DatagramDoor implements AutoCloseable {
    /// After what should not happen, lest it happen without end.
    private static final long PAUSE_NANOS = 10_000_000;

    private static final Duration LAST_WAIT = Duration.ofSeconds(1);

    private final DatagramSocket socket;
    private final Desk desk;
    private final Thread receiver = Thread.ofVirtual().name("dns-datagrams").unstarted(this::receive);

    private DatagramDoor(DatagramSocket socket, Desk desk) {
        this.socket = socket;
        this.desk = desk;
    }

    static DatagramDoor open(DatagramSocket socket, Desk desk) {
        var door = new DatagramDoor(socket, desk);
        door.receiver.start();
        return door;
    }

    InetSocketAddress address() {
        return (InetSocketAddress) socket.getLocalSocketAddress();
    }

    private void receive() {
        var packet = new DatagramPacket(new byte[Desk.LONGEST_QUERY], Desk.LONGEST_QUERY);
        while (!socket.isClosed()) {
            try {
                packet.setLength(Desk.LONGEST_QUERY);
                socket.receive(packet);
            } catch (IOException _) {
                LockSupport.parkNanos(PAUSE_NANOS);
                continue;
            }
            desk.visit(packet.getAddress()).ifPresent(visit -> {
                var query = ByteBuffer.wrap(Arrays.copyOf(packet.getData(), packet.getLength()));
                var from = packet.getSocketAddress();
                if (visit.busy()) {
                    answer(visit, query, from);
                } else {
                    Thread.ofVirtual().name("dns-query").start(() -> answer(visit, query, from));
                }
            });
        }
    }

    private void answer(Desk.Visit visit, ByteBuffer query, SocketAddress to) {
        try (visit) {
            var answer = visit.answer(query, true);
            if (answer.isPresent()) {
                socket.send(new DatagramPacket(answer.get(), answer.get().length, to));
            }
        } catch (IOException _) {
            // the asker has gone, or will ask again
        }
    }

    @Override
    public void close() {
        socket.close();
        try {
            // the address is free only then
            receiver.join(LAST_WAIT);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
