package dev.bobbin.runner.net.dns;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// A query or an answer with one question or none.
///
/// @param flags as they stand in the header, without the code
/// @param code of 12 bits where there is EDNS, else of 4
/// @param question `null` if there is none
/// @param additional without what [Edns] says
/// @param edns `null` if its sender knows nothing of that
record Message(
        int id,
        int flags,
        int code,
        @Nullable Question question,
        List<ResourceRecord> answers,
        List<ResourceRecord> authority,
        List<ResourceRecord> additional,
        @Nullable Edns edns) {

    static final int ANSWER = 0x8000;
    static final int OPCODE = 0x7800;
    static final int AUTHORITATIVE = 0x0400;
    static final int TRUNCATED = 0x0200;
    static final int RECURSION_DESIRED = 0x0100;
    static final int RECURSION_AVAILABLE = 0x0080;
    static final int AUTHENTIC = 0x0020;
    static final int CHECKING_DISABLED = 0x0010;

    static final int HEADER = 12;

    /// What everybody's datagrams may hold.
    static final int SMALLEST_PAYLOAD = 512;

    Message {
        answers = List.copyOf(answers);
        authority = List.copyOf(authority);
        additional = List.copyOf(additional);
    }

    /// One that asks `question` and lets the other look for the answer.
    static Message query(int id, int flags, Question question, @Nullable Edns edns) {
        return new Message(id, RECURSION_DESIRED | flags, 0, question, List.of(), List.of(), List.of(), edns);
    }

    /// The answer to what begins like a query and then is none.
    static Message formatError(int id, int opcode) {
        var none = List.<ResourceRecord>of();
        return new Message(
                id, ANSWER | RECURSION_AVAILABLE | opcode, ResponseCode.FORMAT_ERROR, null, none, none, none, null);
    }

    boolean has(int flag) {
        return (flags & flag) != 0;
    }

    /// The answer to this query that says only `code`.
    Message refused(int code) {
        return answered(code, List.of());
    }

    /// The answer to this query out of one's own knowledge.
    Message answered(int code, List<ResourceRecord> found) {
        return answered(flags(AUTHORITATIVE), code, found, List.of(), List.of());
    }

    Message answered(
            int flags,
            int code,
            List<ResourceRecord> found,
            List<ResourceRecord> authority,
            List<ResourceRecord> more) {
        var ours = edns == null ? null : Edns.ours(edns.dnssec());
        return new Message(id, flags, code, question, found, authority, more, ours);
    }

    /// The flags of an answer to this query, and `more`.
    int flags(int more) {
        var same = flags & (OPCODE | RECURSION_DESIRED | CHECKING_DISABLED);
        return ANSWER | RECURSION_AVAILABLE | same | more;
    }

    /// This answer without anything that was found, which is to be asked for by TCP.
    Message truncated() {
        return new Message(id, flags | TRUNCATED, code, question, List.of(), List.of(), List.of(), edns);
    }

    /// How long a datagram the sender of this query takes.
    int payloadBytes() {
        return edns == null ? SMALLEST_PAYLOAD : Math.clamp(edns.payloadBytes(), SMALLEST_PAYLOAD, Edns.PAYLOAD);
    }
}
