package dev.bobbin.image.archive;

import static dev.bobbin.image.ImageException.invalid;

import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.MediaTypes;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.io.UncheckedIOException;
import java.util.Objects;
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream;
import org.jspecify.annotations.Nullable;

/// How a layer or an archive is compressed.
public enum Compression {
    NONE,
    GZIP,
    ZSTD;

    static final int BUFFER = 128 * 1024;

    private static final int MAGIC = 4;
    private static final long LONGEST_HEADERS = 1024 * 1024;
    private static final int LARGEST_WINDOW = 27;

    /// Uncompresses `in`, whatever its compression is.
    ///
    /// @throws dev.bobbin.image.ImageException INVALID from its methods, if it is damaged or a bomb
    public static InputStream open(InputStream in, ExtractionLimits limits) throws IOException {
        var pushback = new PushbackInputStream(in, MAGIC);
        return sniff(pushback).uncompress(pushback, limits);
    }

    /// Uncompresses a layer, and refuses one that is not compressed as its media type says.
    public static InputStream open(InputStream in, String mediaType, ExtractionLimits limits) throws IOException {
        var pushback = new PushbackInputStream(in, MAGIC);
        var found = sniff(pushback);
        if (MediaTypes.isLayer(mediaType) && found != of(mediaType)) {
            throw invalid("a layer is said to be " + mediaType + ", and is compressed as " + found);
        }
        return found.uncompress(pushback, limits);
    }

    /// What a media type says.
    public static Compression of(String mediaType) {
        if (mediaType.endsWith("gzip")) {
            return GZIP;
        }
        return mediaType.endsWith("zstd") ? ZSTD : NONE;
    }

    /// What the first bytes of content say.
    static Compression of(byte[] head) {
        if (head.length >= 2 && (head[0] & 0xff) == 0x1f && (head[1] & 0xff) == 0x8b) {
            return GZIP;
        }
        var isFrame = startsWith(head, 0x28, 0xb5, 0x2f, 0xfd);
        var isSkippable = head.length >= MAGIC && startsWith(head, 0x50 | (head[0] & 0xf), 0x2a, 0x4d, 0x18);
        return isFrame || isSkippable ? ZSTD : NONE;
    }

    private static boolean startsWith(byte[] head, int... magic) {
        for (var i = 0; i < magic.length; i++) {
            if (head.length <= i || (head[i] & 0xff) != magic[i]) {
                return false;
            }
        }
        return true;
    }

    private static Compression sniff(PushbackInputStream in) throws IOException {
        var head = in.readNBytes(MAGIC);
        in.unread(head);
        return of(head);
    }

    private InputStream uncompress(InputStream in, ExtractionLimits limits) throws IOException {
        if (this == NONE) {
            return in;
        }
        var expanded = new Expanded(this, new Counted(in), limits);
        expanded.begin();
        return expanded;
    }

    /// The compressed content. A failure of its source is told apart from those of the library above by its type.
    private static final class Counted extends FilterInputStream {
        private long bytes;
        private long allowed;

        Counted(InputStream in) {
            super(in);
        }

        @Override
        public int read() {
            var one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int from, int length) {
            if (bytes > allowed) {
                throw invalid("compressed content has headers of more than " + LONGEST_HEADERS + " bytes");
            }
            try {
                var count = in.read(buffer, from, length);
                bytes += Math.max(0, count);
                return count;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /// Takes no more than this until the next call.
        void allow(long more) {
            allowed = bytes + more;
        }
    }

    /// Keeps a small content from becoming a huge one, and says INVALID for whatever the library says of damage.
    private static final class Expanded extends InputStream {
        private static final long UNHARMFUL = 64L << 20;

        private final Compression kind;
        private final Counted compressed;
        private final int ratio;
        private @Nullable InputStream in;
        private long bytes;

        Expanded(Compression kind, Counted compressed, ExtractionLimits limits) {
            this.kind = kind;
            this.compressed = compressed;
            this.ratio = limits.ratio();
        }

        void begin() throws IOException {
            translated(0, () -> {
                in = kind == GZIP ? gzip() : zstd();
                return 0;
            });
        }

        private InputStream gzip() throws IOException {
            return GzipCompressorInputStream.builder()
                    .setInputStream(new BufferedInputStream(compressed, BUFFER))
                    .setDecompressConcatenated(true)
                    .get();
        }

        private InputStream zstd() throws IOException {
            var zstd = new ZstdInputStreamNoFinalizer(compressed);
            zstd.setLongMax(LARGEST_WINDOW);
            return zstd;
        }

        @Override
        public int read() throws IOException {
            var one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int from, int length) throws IOException {
            var uncompressed = Objects.requireNonNull(in);
            var count = translated(length, () -> uncompressed.read(buffer, from, length));
            bytes += Math.max(0, count);
            if (bytes > UNHARMFUL && bytes / ratio > compressed.bytes) {
                throw invalid("content unpacks to more than " + ratio + " times its size");
            }
            return count;
        }

        /// The library holds the name and comment of a gzip member in memory, so a step may not take any number of
        /// bytes. A skippable frame of zstd is not held, and may be long.
        private int translated(int length, Step step) throws IOException {
            compressed.allow(kind == GZIP ? length + LONGEST_HEADERS : Long.MAX_VALUE >> 1);
            try {
                return step.run();
            } catch (ImageException e) {
                throw e;
            } catch (UncheckedIOException e) {
                throw e.getCause();
            } catch (EOFException e) {
                throw invalid(label() + " content is damaged: it ends too early");
            } catch (IOException | RuntimeException e) {
                throw invalid(label() + " content is damaged: " + e.getMessage());
            }
        }

        private String label() {
            return kind == GZIP ? "gzip" : "zstd";
        }

        @Override
        public void close() throws IOException {
            if (in != null) {
                in.close();
            }
        }
    }

    private interface Step {
        int run() throws IOException;
    }
}
