package dev.bobbin.image.archive;

import static dev.bobbin.image.ImageException.invalid;

import java.io.IOException;
import java.io.InputStream;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/// Uncompresses gzip content of one or more members, to the end of its source. The JDK's own stream takes a pause of
/// the network between two members for the end, and passes over what follows the last.
final class GzipStream extends InputStream {
    private static final int HEADER_CRC = 2;
    private static final int EXTRA = 4;
    private static final int NAME = 8;
    private static final int COMMENT = 16;
    private static final int RESERVED = 0xe0;

    private final InputStream in;
    private final Inflater inflater = new Inflater(true);
    private final CRC32 crc = new CRC32();
    private final byte[] buffer = new byte[Compression.BUFFER];
    private int at;
    private int end;
    private boolean inMember;
    private boolean ended;

    GzipStream(InputStream in) throws IOException {
        this.in = in;
        inMember = true;
        readHeader(next());
    }

    @Override
    public int read() throws IOException {
        var one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int from, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        while (!ended) {
            if (!inMember) {
                beginMember();
                continue;
            }
            var count = inflate(target, from, length);
            if (count > 0) {
                crc.update(target, from, count);
                return count;
            }
            if (inflater.finished()) {
                endMember();
            }
        }
        return -1;
    }

    private int inflate(byte[] target, int from, int length) throws IOException {
        try {
            if (inflater.needsInput()) {
                if (at == end && !fill()) {
                    throw truncated();
                }
                inflater.setInput(buffer, at, end - at);
                at = end;
            }
            var count = inflater.inflate(target, from, length);
            if (count == 0 && inflater.needsDictionary()) {
                throw invalid("gzip content needs a dictionary");
            }
            return count;
        } catch (DataFormatException e) {
            throw invalid("gzip content is damaged: " + e.getMessage());
        }
    }

    private void endMember() throws IOException {
        at = end - inflater.getRemaining();
        var sum = number(4);
        var size = number(4);
        if (sum != crc.getValue() || size != (inflater.getBytesWritten() & 0xffffffffL)) {
            throw invalid("gzip content is damaged: its checksum or its length is wrong");
        }
        inMember = false;
    }

    private void beginMember() throws IOException {
        if (at == end && !fill()) {
            ended = true;
            return;
        }
        inflater.reset();
        crc.reset();
        readHeader(next());
        inMember = true;
    }

    private void readHeader(int first) throws IOException {
        if (first != 0x1f || next() != 0x8b || next() != 8) {
            throw invalid("gzip content is followed by something else");
        }
        var flags = next();
        if ((flags & RESERVED) != 0) {
            throw invalid("gzip content has a header of unknown form");
        }
        number(4);
        number(2);
        if ((flags & EXTRA) != 0) {
            for (var left = number(2); left > 0; left--) {
                next();
            }
        }
        skipText(flags & NAME);
        skipText(flags & COMMENT);
        if ((flags & HEADER_CRC) != 0) {
            number(2);
        }
    }

    private void skipText(int present) throws IOException {
        var character = present;
        while (character != 0) {
            character = next();
        }
    }

    private long number(int bytes) throws IOException {
        long number = 0;
        for (var i = 0; i < bytes; i++) {
            number |= (long) next() << (8 * i);
        }
        return number;
    }

    private int next() throws IOException {
        if (at == end && !fill()) {
            throw truncated();
        }
        return buffer[at++] & 0xff;
    }

    private boolean fill() throws IOException {
        at = 0;
        end = Math.max(0, in.read(buffer, 0, buffer.length));
        return end > 0;
    }

    private static RuntimeException truncated() {
        return invalid("gzip content ends too early");
    }

    @Override
    public void close() throws IOException {
        inflater.end();
        in.close();
    }
}
