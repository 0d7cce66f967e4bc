package dev.bobbin.runner.net.dns;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.function.Consumer;

/// Where every query is brought, in whichever way it came.
final class Desk {
    /// In bytes; longer than any query that is honest.
    static final int LONGEST_QUERY = 4096;

    private final Neighbours neighbours;
    private final Answers answers;
    private final Consumer<QueryResult> tally;
    private final Allowances allowances = new Allowances();

    /// @param tally told of every question once it is answered, or will not be
    Desk(Neighbours neighbours, Answers answers, Consumer<QueryResult> tally) {
        this.neighbours = neighbours;
        this.answers = answers;
        this.tally = tally;
    }

    /// A query that may be answered now. To be closed, answered or not.
    ///
    /// @param busy whether all there is to say is that it cannot be
    record Visit(Desk desk, Asker asker, Inet4Address source, boolean busy) implements AutoCloseable {
        @Override
        public void close() {
            if (!busy) {
                desk.allowances.done(source);
            }
        }

        /// The answer to the query in `bytes`, if it is one.
        ///
        /// @param datagram whether it must be no longer than its query says
        Optional<byte[]> answer(ByteBuffer bytes, boolean datagram) {
            Message query;
            try {
                query = MessageReader.read(bytes);
            } catch (MalformedException _) {
                return malformed(bytes);
            }
            if (query.has(Message.ANSWER)) {
                return Optional.empty();
            }
            var answer = busy ? query.refused(ResponseCode.SERVER_FAILURE) : desk.answers.to(query, asker);
            desk.tally.accept(busy ? QueryResult.BUSY : QueryResult.of(answer.code()));
            return Optional.of(MessageWriter.write(answer, datagram ? query.payloadBytes() : Integer.MAX_VALUE));
        }

        /// Says so to who sent what begins like a query.
        private Optional<byte[]> malformed(ByteBuffer bytes) {
            if (bytes.remaining() < Message.HEADER) {
                return Optional.empty();
            }
            var flags = Short.toUnsignedInt(bytes.getShort(bytes.position() + 2));
            if ((flags & Message.ANSWER) != 0) {
                return Optional.empty();
            }
            desk.tally.accept(QueryResult.MALFORMED);
            var id = Short.toUnsignedInt(bytes.getShort(bytes.position()));
            var empty = Message.formatError(id, flags & Message.OPCODE);
            return Optional.of(MessageWriter.write(empty, Message.SMALLEST_PAYLOAD));
        }
    }

    /// Lets in a query from `source`; empty if that is no sandbox, or one that asks too much.
    Optional<Visit> visit(InetAddress source) {
        if (!(source instanceof Inet4Address address)) {
            return Optional.empty();
        }
        var asker = neighbours.at(address);
        if (asker.isEmpty()) {
            return Optional.empty();
        }
        return switch (allowances.take(address)) {
            case TAKEN -> Optional.of(new Visit(this, asker.get(), address, false));
            case BUSY -> Optional.of(new Visit(this, asker.get(), address, true));
            case SPENT -> {
                tally.accept(QueryResult.DROPPED);
                yield Optional.empty();
            }
        };
    }
}
