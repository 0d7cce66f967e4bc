package dev.bobbin.runner.net;

import dev.bobbin.runner.Network.Protocol;
import dev.bobbin.runner.Network.PublishedPort;
import dev.bobbin.runner.SandboxId;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.channels.DatagramChannel;
import java.nio.channels.NetworkChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// Ports of this machine that are published. Each is held by a socket that is bound and does nothing, so that the
/// kernel refuses it to everybody else; packets never come to it, the rules lead them away. Safe for many threads.
final class Ports {
    private final Map<SandboxId, List<NetworkChannel>> held = new ConcurrentHashMap<>();

    /// A port that somebody else has.
    static final class Taken extends Exception {
        private static final long serialVersionUID = 1L;
        private final int index;

        Taken(int index, String message, Throwable cause) {
            super(message, cause);
            this.index = index;
        }

        /// Which one it is, of those that were asked for.
        int index() {
            return index;
        }
    }

    /// Holds all of `wanted`, or none.
    ///
    /// @return the same with the ports that were chosen
    List<PublishedPort> hold(SandboxId id, List<PublishedPort> wanted) throws Taken {
        var channels = new ArrayList<NetworkChannel>();
        var ports = new ArrayList<PublishedPort>();
        for (var port : wanted) {
            try {
                var channel = bind(port);
                channels.add(channel);
                ports.add(port.at(((InetSocketAddress) channel.getLocalAddress()).getPort()));
            } catch (IOException e) {
                channels.forEach(Ports::close);
                throw new Taken(ports.size(), what(port) + " cannot be had: " + e.getMessage(), e);
            }
        }
        if (!channels.isEmpty()) {
            held.put(id, channels);
        }
        return ports;
    }

    private static String what(PublishedPort port) {
        return port.protocol().word() + " port " + port.hostPort() + " of "
                + port.hostAddress().getHostAddress();
    }

    private static NetworkChannel bind(PublishedPort port) throws IOException {
        var channel = port.protocol() == Protocol.TCP
                ? SocketChannel.open(StandardProtocolFamily.INET)
                : DatagramChannel.open(StandardProtocolFamily.INET);
        try {
            channel.bind(new InetSocketAddress(port.hostAddress(), port.hostPort()));
            return channel;
        } catch (IOException e) {
            close(channel);
            throw e;
        }
    }

    boolean hasAny(SandboxId id) {
        return held.containsKey(id);
    }

    void release(SandboxId id) {
        var channels = held.remove(id);
        if (channels != null) {
            channels.forEach(Ports::close);
        }
    }

    void releaseAll() {
        held.keySet().forEach(this::release);
    }

    private static void close(Closeable channel) {
        try {
            channel.close();
        } catch (IOException _) {
            // it is closed all the same
        }
    }
}
