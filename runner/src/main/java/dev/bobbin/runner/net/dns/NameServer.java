package dev.bobbin.runner.net.dns;

import java.io.IOException;
import java.net.BindException;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.function.Consumer;

/// The name server of one bridge, at the address that is its sandboxes' way out. It answers nobody else.
public final class NameServer implements AutoCloseable {
    private static final int TRIES = 10;

    private final DatagramDoor datagrams;
    private final StreamDoor streams;

    private NameServer(DatagramDoor datagrams, StreamDoor streams) {
        this.datagrams = datagrams;
        this.streams = streams;
    }

    /// Listens at `address`, which the machine must have already; at a free port if its is 0.
    ///
    /// @param tally told what became of each question
    public static NameServer listen(
            InetSocketAddress address, Neighbours neighbours, DnsConfig config, Consumer<QueryResult> tally)
            throws IOException {
        var desk = new Desk(neighbours, new Answers(new Upstream(new Upstreams(config))), tally);
        for (var left = TRIES; ; left--) {
            var datagrams = new DatagramSocket(address);
            try {
                var streams = streams(new InetSocketAddress(address.getAddress(), datagrams.getLocalPort()));
                return new NameServer(DatagramDoor.open(datagrams, desk), StreamDoor.open(streams, desk));
            } catch (IOException e) {
                datagrams.close();
                if (!(e instanceof BindException) || address.getPort() != 0 || left == 0) {
                    throw e;
                }
            }
        }
    }

    private static ServerSocket streams(InetSocketAddress address) throws IOException {
        var streams = new ServerSocket();
        try {
            streams.setReuseAddress(true);
            streams.bind(address);
            return streams;
        } catch (IOException e) {
            streams.close();
            throw e;
        }
    }

    public InetSocketAddress address() {
        return datagrams.address();
    }

    @Override
    public void close() {
        streams.close();
        datagrams.close();
    }
}
