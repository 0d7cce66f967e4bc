package dev.bobbin.runner.host;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// A name server of the world, on this machine: it knows `good.test` and `evil.test`.
final class FakeNames implements AutoCloseable {
    private static final int HEADER = 12;
    private static final int SECONDS = 120;

    private final DatagramSocket socket = new DatagramSocket(0, InetAddress.getLoopbackAddress());
    private final Inet4Address good;
    private final Inet4Address evil;

    FakeNames(Inet4Address good, Inet4Address evil) throws IOException {
        this.good = good;
        this.evil = evil;
        Thread.ofPlatform().daemon().name("fake-names").start(this::serve);
    }

    InetSocketAddress address() {
        return new InetSocketAddress(socket.getLocalAddress(), socket.getLocalPort());
    }

    private void serve() {
        var query = new DatagramPacket(new byte[1500], 1500);
        try {
            while (true) {
                socket.receive(query);
                var answer = answer(Arrays.copyOf(query.getData(), query.getLength()));
                socket.send(new DatagramPacket(answer, answer.length, query.getSocketAddress()));
            }
        } catch (IOException _) {
            // closed
        }
    }

    private byte[] answer(byte[] query) {
        var end = HEADER;
        while (query[end] != 0) {
            end += query[end] + 1;
        }
        var name = new String(query, HEADER + 1, end - HEADER - 1, StandardCharsets.ISO_8859_1)
                .toLowerCase(java.util.Locale.ROOT);
        var address = name.equals("good\4test") ? good : name.equals("evil\4test") ? evil : null;
        var ofAddress = query[end + 2] == 1;
        var out = ByteBuffer.allocate(1500).put(query, 0, 2).putShort((short) (address == null ? 0x8183 : 0x8180));
        out.putShort((short) 1)
                .putShort((short) (address != null && ofAddress ? 1 : 0))
                .putInt(0);
        out.put(query, HEADER, end + 5 - HEADER);
        if (address != null && ofAddress) {
            out.putShort((short) 0xc00c).putShort((short) 1).putShort((short) 1).putInt(SECONDS);
            out.putShort((short) 4).put(address.getAddress());
        }
        return Arrays.copyOf(out.array(), out.position());
    }

    @Override
    public void close() {
        socket.close();
    }
}
