package dev.bobbin.runner.net.dns;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Decodes one message. All of its bytes must belong to it, and a compressed name may only go on with what stands
/// before it, so nothing can be read twice without end.
final class MessageReader {
    private static final int POINTER = 0xc0;
    private static final int MOST_POINTERS = 126;
    private static final int DNSSEC = 0x8000;
    private static final int RECORD_FIXED = 10;

    private final ByteBuffer in;
    private @Nullable Edns edns;
    private int codeAbove;

    private MessageReader(ByteBuffer in) {
        this.in = in;
    }

    /// The message that is all of what remains in `bytes`.
    static Message read(ByteBuffer bytes) throws MalformedException {
        return new MessageReader(bytes.slice()).message();
    }

    private Message message() throws MalformedException {
        need(Message.HEADER);
        var id = u16();
        var flags = u16();
        var questions = u16();
        var answers = u16();
        var authorities = u16();
        var additions = u16();
        if (questions > 1) {
            throw new MalformedException(questions + " questions");
        }
        var question = questions == 0 ? null : question();
        var found = records(answers);
        var authority = records(authorities);
        if (edns != null) {
            throw new MalformedException("OPT stands outside of the additional records");
        }
        var additional = records(additions);
        if (in.hasRemaining()) {
            throw new MalformedException(in.remaining() + " bytes too many");
        }
        return new Message(
                id, flags & ~0xf, (flags & 0xf) | (codeAbove << 4), question, found, authority, additional, edns);
    }

    private Question question() throws MalformedException {
        var name = name();
        need(4);
        return new Question(name, u16(), u16());
    }

    private List<ResourceRecord> records(int count) throws MalformedException {
        var records = new ArrayList<ResourceRecord>();
        for (var left = count; left > 0; left--) {
            var owner = name();
            need(RECORD_FIXED);
            var type = u16();
            var dnsClass = u16();
            var ttl = in.getInt();
            var length = u16();
            need(length);
            if (type == Types.OPT) {
                option(owner, dnsClass, ttl);
                in.position(in.position() + length);
            } else {
                // a time to live of over 31 bits is none (RFC 2181, section 8)
                records.add(new ResourceRecord(owner, type, dnsClass, Math.max(0, ttl), data(type, length)));
            }
        }
        return records;
    }

    private void option(DomainName owner, int payload, int rest) throws MalformedException {
        if (edns != null || !owner.equals(DomainName.ROOT)) {
            throw new MalformedException("there is more than one OPT, or it has a name");
        }
        codeAbove = rest >>> 24;
        edns = new Edns(payload, (rest >>> 16) & 0xff, (rest & DNSSEC) != 0);
    }

    /// The data of a record with every name in it written out.
    private RecordData data(int type, int length) throws MalformedException {
        var end = in.position() + length;
        var plain = new ByteArrayOutputStream(length);
        for (var part : Types.layout(type).toCharArray()) {
            if (part == '.') {
                if (in.position() != end) {
                    throw new MalformedException("the data of a record is too long");
                }
            } else if (part == 'n') {
                plain.writeBytes(name().wire());
            } else {
                var bytes = part == 's' ? 1 + peek(end) : part - '0';
                copy(plain, bytes, end);
            }
            if (in.position() > end) {
                throw new MalformedException("a name passes the end of its record");
            }
        }
        copy(plain, end - in.position(), end);
        return new RecordData(plain.toByteArray());
    }

    private int peek(int end) throws MalformedException {
        if (in.position() >= end) {
            throw new MalformedException("the data of a record is cut short");
        }
        return in.get(in.position()) & 0xff;
    }

    private void copy(ByteArrayOutputStream to, int bytes, int end) throws MalformedException {
        if (bytes > end - in.position()) {
            throw new MalformedException("the data of a record is cut short");
        }
        var copied = new byte[bytes];
        in.get(copied);
        to.writeBytes(copied);
    }

    private DomainName name() throws MalformedException {
        var wire = new byte[DomainName.LONGEST];
        var length = 0;
        var pointers = 0;
        var at = in.position();
        var before = at;
        while (true) {
            var first = byteAt(at);
            if ((first & POINTER) == POINTER) {
                var target = ((first & ~POINTER) << 8) | byteAt(at + 1);
                if (target >= before || target < Message.HEADER || ++pointers > MOST_POINTERS) {
                    throw new MalformedException("a name does not end");
                }
                if (pointers == 1) {
                    in.position(at + 2);
                }
                before = target;
                at = target;
                continue;
            }
            if ((first & POINTER) != 0) {
                throw new MalformedException("a label of an unknown kind");
            }
            if (length + 1 + first + (first == 0 ? 0 : 1) > DomainName.LONGEST) {
                throw new MalformedException("a name is longer than " + DomainName.LONGEST + " bytes");
            }
            byteAt(at + first);
            in.get(at, wire, length, 1 + first);
            length += 1 + first;
            at += 1 + first;
            if (first == 0) {
                break;
            }
        }
        if (pointers == 0) {
            in.position(at);
        }
        return new DomainName(Arrays.copyOf(wire, length));
    }

    private int byteAt(int at) throws MalformedException {
        if (at >= in.limit()) {
            throw new MalformedException("a name passes the end of the message");
        }
        return in.get(at) & 0xff;
    }

    private void need(int bytes) throws MalformedException {
        if (in.remaining() < bytes) {
            throw new MalformedException("the message is cut short");
        }
    }

    private int u16() {
        return Short.toUnsignedInt(in.getShort());
    }
}
