package dev.bobbin.runner.net.dns;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Encodes one message; names that stood before, in the same letters, are pointed at.
final class MessageWriter {
    private static final int POINTER = 0xc000;
    private static final int DNSSEC = 0x8000;

    /// What the length before a message on a stream can say.
    private static final int LONGEST = 0xffff;

    private final Map<RecordData, Integer> places = new HashMap<>();
    private byte[] out = new byte[Message.SMALLEST_PAYLOAD];
    private int length;

    private MessageWriter() {}

    /// `message`, and if that is longer than `most` bytes, that it is.
    static byte[] write(Message message, int most) {
        var whole = new MessageWriter().message(message);
        return whole.length <= Math.min(most, LONGEST) ? whole : new MessageWriter().message(message.truncated());
    }

    private byte[] message(Message message) {
        var edns = message.edns();
        var question = message.question();
        u16(message.id());
        u16((message.flags() & ~0xf) | (message.code() & 0xf));
        u16(question == null ? 0 : 1);
        u16(message.answers().size());
        u16(message.authority().size());
        u16(message.additional().size() + (edns == null ? 0 : 1));
        if (question != null) {
            name(question.name());
            u16(question.type());
            u16(question.dnsClass());
        }
        records(message.answers());
        records(message.authority());
        records(message.additional());
        if (edns != null) {
            name(DomainName.ROOT);
            u16(Types.OPT);
            u16(edns.payloadBytes());
            u32(((long) (message.code() >>> 4) << 24) | ((long) edns.version() << 16) | (edns.dnssec() ? DNSSEC : 0));
            u16(0);
        }
        return Arrays.copyOf(out, length);
    }

    private void records(List<ResourceRecord> records) {
        for (var each : records) {
            name(each.owner());
            u16(each.type());
            u16(each.dnsClass());
            u32(each.ttlSeconds());
            var start = length;
            u16(0);
            data(each);
            var bytes = length - start - 2;
            out[start] = (byte) (bytes >>> 8);
            out[start + 1] = (byte) bytes;
        }
    }

    private void data(ResourceRecord each) {
        var data = each.data().bytes();
        var at = 0;
        if (Types.compressible(each.type())) {
            for (var part : Types.layout(each.type()).toCharArray()) {
                if (part == 'n') {
                    var name = nameAt(data, at);
                    name(name);
                    at += name.wire().length;
                } else if (part != '.') {
                    bytes(data, at, part - '0');
                    at += part - '0';
                }
            }
        }
        bytes(data, at, data.length - at);
    }

    private static DomainName nameAt(byte[] data, int from) {
        var at = from;
        while (data[at] != 0) {
            at += 1 + data[at];
        }
        return new DomainName(Arrays.copyOfRange(data, from, at + 1));
    }

    private void name(DomainName name) {
        var wire = name.wire();
        for (var at = 0; wire[at] != 0; at += 1 + wire[at]) {
            var rest = new RecordData(Arrays.copyOfRange(wire, at, wire.length));
            var place = places.get(rest);
            if (place != null) {
                u16(POINTER | place);
                return;
            }
            if (length < 0xffff - POINTER) {
                places.put(rest, length);
            }
            bytes(wire, at, 1 + wire[at]);
        }
        bytes(wire, wire.length - 1, 1);
    }

    private void bytes(byte[] from, int at, int count) {
        if (out.length - length < count) {
            out = Arrays.copyOf(out, Math.max(out.length * 2, length + count));
        }
        System.arraycopy(from, at, out, length, count);
        length += count;
    }

    private void u16(int value) {
        bytes(new byte[] {(byte) (value >>> 8), (byte) value}, 0, 2);
    }

    private void u32(long value) {
        u16((int) (value >>> 16));
        u16((int) value);
    }
}
