package dev.bobbin.image.archive;

import static dev.bobbin.image.ImageException.invalid;

import dev.bobbin.image.ImageException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarUtils;

/// What Commons Compress says of one header, and what it read behind it.
final class ParsedHeader {
    private final TarArchiveEntry entry;
    private final byte[] map;

    private ParsedHeader(TarArchiveEntry entry, byte[] map) {
        this.entry = entry;
        this.map = map;
    }

    /// Shows the library one header, and those records that may change it.
    ///
    /// @param content what follows the header; as much of it is read as a sparse map takes
    /// @param longest most bytes of a sparse map
    /// @throws IOException only if `content` fails
    static ParsedHeader read(TarHeader header, PaxRecords records, InputStream content, int longest)
            throws IOException {
        var recorder = new Recorder(content, longest);
        var feed = new SequenceInputStream(new ByteArrayInputStream(shown(header, records)), recorder);
        try (var tar = new TarArchiveInputStream(feed, StandardCharsets.ISO_8859_1.name())) {
            return new ParsedHeader(Objects.requireNonNull(tar.getNextEntry()), recorder.taken.toByteArray());
        } catch (ImageException e) {
            throw e;
        } catch (UncheckedIOException e) {
            throw e.getCause();
        } catch (IOException | RuntimeException e) {
            throw invalid("a header or sparse map of the archive cannot be read: "
                    + Names.shown(String.valueOf(e.getMessage())));
        }
    }

    TarArchiveEntry entry() {
        return entry;
    }

    /// Bytes of a sparse map that lies behind the header; none if there is none.
    byte[] map() {
        return map;
    }

    /// The header, behind an extended one with the records, if there are any.
    private static byte[] shown(TarHeader header, PaxRecords records) {
        var known = records.known();
        if (known.length == 0) {
            return header.block();
        }
        var filled = known.length + TarReader.fill(known.length);
        var shown = new byte[TarHeader.BLOCK + filled + TarHeader.BLOCK];
        System.arraycopy(header.block(), 0, shown, 0, TarHeader.BLOCK);
        shown[TarHeader.TYPE] = 'x';
        TarUtils.formatLongOctalBytes(known.length, shown, TarHeader.SIZE, TarHeader.SIZE_LENGTH);
        System.arraycopy(known, 0, shown, TarHeader.BLOCK, known.length);
        System.arraycopy(header.block(), 0, shown, TarHeader.BLOCK + filled, TarHeader.BLOCK);
        return shown;
    }

    /// Keeps what the library takes. A failure of the source is told apart from those of the library by its type.
    private static final class Recorder extends InputStream {
        private final InputStream in;
        private final int longest;
        private final ByteArrayOutputStream taken = new ByteArrayOutputStream();

        Recorder(InputStream in, int longest) {
            this.in = in;
            this.longest = longest;
        }

        @Override
        public int read() {
            var one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int from, int length) {
            if (taken.size() > longest - length) {
                throw invalid("a sparse map of the archive has more than " + longest + " bytes");
            }
            try {
                var count = in.read(buffer, from, length);
                taken.write(buffer, from, Math.max(0, count));
                return count;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /// The source stays open.
        @Override
        public void close() {}
    }
}
