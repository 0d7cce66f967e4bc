package dev.bobbin.image.archive;

import static dev.bobbin.image.ImageException.invalid;

import com.github.luben.zstd.ZstdIOException;
import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import dev.bobbin.image.MediaTypes;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;

/// How a layer or an archive is compressed.
public enum Compression {
    NONE,
    GZIP,
    ZSTD;

    static final int BUFFER = 128 * 1024;

    private static final int MAGIC = 4;
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
        var counted = new Counted(in);
        return switch (this) {
            case NONE -> in;
            case GZIP -> new Expanded(new GzipStream(counted), counted, limits);
            case ZSTD -> {
                var zstd = new ZstdInputStreamNoFinalizer(counted);
                zstd.setLongMax(LARGEST_WINDOW);
                yield new Expanded(zstd, counted, limits);
            }
        };
    }

    private static final class Counted extends FilterInputStream {
        private long bytes;

        Counted(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            var value = in.read();
            bytes += value < 0 ? 0 : 1;
            return value;
        }

        @Override
        public int read(byte[] buffer, int from, int length) throws IOException {
            var count = in.read(buffer, from, length);
            bytes += Math.max(0, count);
            return count;
        }
    }

    /// Keeps a small content from becoming a huge one.
    private static final class Expanded extends FilterInputStream {
        private static final long UNHARMFUL = 64L << 20;

        private final Counted compressed;
        private final int ratio;
        private long bytes;

        Expanded(InputStream in, Counted compressed, ExtractionLimits limits) {
            super(in);
            this.compressed = compressed;
            this.ratio = limits.ratio();
        }

        @Override
        public int read() throws IOException {
            var one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int from, int length) throws IOException {
            try {
                var count = in.read(buffer, from, length);
                bytes += Math.max(0, count);
                if (bytes > UNHARMFUL && bytes / ratio > compressed.bytes) {
                    throw invalid("content unpacks to more than " + ratio + " times its size");
                }
                return count;
            } catch (ZstdIOException e) {
                throw invalid("zstd content is damaged: " + e.getMessage());
            }
        }

        @Override
        public long skip(long count) throws IOException {
            var unread = new byte[(int) Math.min(count, BUFFER)];
            return Math.max(0, read(unread, 0, unread.length));
        }
    }
}
