package dev.bobbin.runner.net.dns;

import java.io.EOFException;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Asks other name servers. Each question goes from a port of its own, with a number of its own; what comes from
/// elsewhere, with another number or about another question is passed over.
final class Upstream {
    /// A resolver in a sandbox waits five seconds for its first answer.
    private static final Duration PATIENCE = Duration.ofMillis(4500);

    private static final Duration EACH = Duration.ofMillis(1500);

    /// A datagram may be lost.
    private static final int ROUNDS = 2;

    private static final int LONGEST = 0xffff;

    /// More than is asked for, and little enough for a thousand at once.
    private static final int LONGEST_DATAGRAM = 4096;

    private final Upstreams servers;
    private final SecureRandom random = new SecureRandom();

    Upstream(Upstreams servers) {
        this.servers = servers;
    }

    /// What the first server says that knows anything; empty if none does.
    ///
    /// @param flags of the query, beyond that recursion is desired
    Optional<Message> ask(Question question, int flags, boolean dnssec) {
        var until = System.nanoTime() + PATIENCE.toNanos();
        Message unwilling = null;
        for (var round = 0; round < ROUNDS && unwilling == null; round++) {
            for (var server : servers.inOrder()) {
                var answer = ask(server, question, flags, dnssec, until);
                if (answer != null && !isUnwilling(answer)) {
                    return Optional.of(answer);
                }
                unwilling = unwilling == null ? answer : unwilling;
            }
        }
        return Optional.ofNullable(unwilling);
    }

    private static boolean isUnwilling(Message answer) {
        return answer.code() != ResponseCode.NO_ERROR && answer.code() != ResponseCode.NO_SUCH_NAME;
    }

    private @Nullable Message ask(InetSocketAddress server, Question question, int flags, boolean dnssec, long until) {
        var left = Math.min(Stream.millisLeft(until), EACH.toMillis());
        if (left <= 0 || Thread.currentThread().isInterrupted()) {
            return null;
        }
        var soon = System.nanoTime() + Duration.ofMillis(left).toNanos();
        try {
            var answer = exchange(server, query(question, flags, Edns.ours(dnssec)), soon);
            if (answer.edns() == null
                    && (answer.code() == ResponseCode.FORMAT_ERROR || answer.code() == ResponseCode.NOT_IMPLEMENTED)) {
                answer = exchange(server, query(question, flags, null), soon);
            }
            servers.spoke(server);
            return answer;
        } catch (IOException _) {
            servers.wasSilent(server);
            return null;
        }
    }

    private Message query(Question question, int flags, @Nullable Edns edns) {
        return Message.query(random.nextInt(0x10000), flags, question, edns);
    }

    private static Message exchange(InetSocketAddress server, Message query, long until) throws IOException {
        var answer = byDatagram(server, query, until);
        return answer.has(Message.TRUNCATED) ? byStream(server, query, until) : answer;
    }

    private static Message byDatagram(InetSocketAddress server, Message query, long until) throws IOException {
        // the kernel chooses a random port, and lets through only what comes from the server
        try (var socket = new DatagramSocket()) {
            socket.connect(server);
            var asked = MessageWriter.write(query, LONGEST);
            socket.send(new DatagramPacket(asked, asked.length));
            var packet = new DatagramPacket(new byte[LONGEST_DATAGRAM], LONGEST_DATAGRAM);
            while (true) {
                socket.setSoTimeout(Stream.timeout(until));
                socket.receive(packet);
                try {
                    var answer = MessageReader.read(ByteBuffer.wrap(packet.getData(), 0, packet.getLength()));
                    if (isAnswer(answer, query)) {
                        return answer;
                    }
                } catch (MalformedException _) {
                    // as good as none
                }
            }
        }
    }

    private static Message byStream(InetSocketAddress server, Message query, long until) throws IOException {
        try (var socket = new Socket()) {
            socket.connect(server, Stream.timeout(until));
            socket.setSoTimeout(Stream.timeout(until));
            Stream.write(socket.getOutputStream(), MessageWriter.write(query, LONGEST));
            var bytes = Stream.read(socket, LONGEST, until);
            var answer = MessageReader.read(bytes.orElseThrow(EOFException::new));
            if (!isAnswer(answer, query) || answer.has(Message.TRUNCATED)) {
                throw new MalformedException("an answer to something else");
            }
            return answer;
        }
    }

    private static boolean isAnswer(Message answer, Message query) {
        var sameQuestion = query.question() != null && query.question().equals(answer.question());
        // a server that cannot read the question may leave it out
        var noQuestion = answer.question() == null && isUnwilling(answer);
        return answer.has(Message.ANSWER)
                && answer.id() == query.id()
                && (answer.flags() & Message.OPCODE) == 0
                && (sameQuestion || noQuestion);
    }
}
