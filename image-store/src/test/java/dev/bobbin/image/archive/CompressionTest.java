package dev.bobbin.image.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.MediaTypes;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;

class CompressionTest {
    private static final byte[] CONTENT = content();

    @Test
    void readsWhatItFinds() throws Exception {
        assertThat(open(CONTENT)).isEqualTo(CONTENT);
        assertThat(open(gzip(CONTENT))).isEqualTo(CONTENT);
        assertThat(open(Zstd.compress(CONTENT))).isEqualTo(CONTENT);
        assertThat(open(new byte[0])).isEmpty();
        assertThat(open(new byte[] {1})).containsExactly(1);
    }

    @Test
    void readsEveryMemberAndFrame() throws Exception {
        var skippable = new byte[] {0x5e, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9};
        assertThat(open(join(gzip(CONTENT), gzip(new byte[0]), gzip(CONTENT)))).isEqualTo(join(CONTENT, CONTENT));
        assertThat(open(join(skippable, Zstd.compress(CONTENT), Zstd.compress(CONTENT), skippable)))
                .isEqualTo(join(CONTENT, CONTENT));
    }

    @Test
    void readsMembersThatArriveOneByOne() throws Exception {
        var members = join(gzip(CONTENT), gzip(CONTENT));
        var slow = new InputStream() {
            private int at;

            @Override
            public int read() {
                return at < members.length ? members[at++] & 0xff : -1;
            }

            @Override
            public int read(byte[] buffer, int from, int length) {
                var next = length == 0 ? 0 : read();
                if (next >= 0 && length > 0) {
                    buffer[from] = (byte) next;
                }
                return length == 0 ? 0 : next < 0 ? -1 : 1;
            }
        };
        assertThat(Compression.open(slow, ExtractionLimits.DEFAULT).readAllBytes())
                .isEqualTo(join(CONTENT, CONTENT));
    }

    @Test
    void refusesOtherThanTheMediaTypeSays() throws Exception {
        refused(gzip(CONTENT), MediaTypes.OCI_LAYER, "said to be");
        refused(CONTENT, MediaTypes.DOCKER_LAYER_GZIP, "said to be");
        refused(Zstd.compress(CONTENT), MediaTypes.OCI_LAYER_GZIP, "said to be");
        var limits = ExtractionLimits.DEFAULT;
        for (var type : new String[] {MediaTypes.OCI_LAYER_ZSTD, MediaTypes.DOCKER_LAYER_ZSTD, "anything"}) {
            var in = new ByteArrayInputStream(Zstd.compress(CONTENT));
            assertThat(Compression.open(in, type, limits).readAllBytes()).isEqualTo(CONTENT);
        }
    }

    @Test
    void refusesDamage() throws Exception {
        var gzip = gzip(CONTENT);
        refused(Arrays.copyOf(gzip, gzip.length - 1), MediaTypes.OCI_LAYER_GZIP, "too early");
        refused(join(gzip, new byte[] {1, 2, 3}), MediaTypes.OCI_LAYER_GZIP, "Unexpected data after");
        var wrong = gzip.clone();
        wrong[gzip.length - 5] ^= 1;
        refused(wrong, MediaTypes.OCI_LAYER_GZIP, "CRC32");
        var zstd = Zstd.compress(CONTENT);
        refused(Arrays.copyOf(zstd, zstd.length - 1), MediaTypes.OCI_LAYER_ZSTD, "damaged");
    }

    @Test
    void refusesAHeaderThatWouldFillTheMemory() throws Exception {
        var head = new byte[] {0x1f, (byte) 0x8b, 8, 8, 0, 0, 0, 0, 0, 0};
        var name = new byte[3 << 20];
        Arrays.fill(name, (byte) 'n');
        refused(join(head, name), MediaTypes.OCI_LAYER_GZIP, "headers of more than");
        refused(join(gzip(CONTENT), head, name), MediaTypes.OCI_LAYER_GZIP, "headers of more than");
    }

    @Test
    void tellsAFailingSourceFromDamage() throws Exception {
        for (var bytes : new byte[][] {gzip(CONTENT), Zstd.compress(CONTENT)}) {
            var failing = new SequenceInputStream(new ByteArrayInputStream(bytes, 0, 5000), new InputStream() {
                @Override
                public int read() throws IOException {
                    throw new IOException("the network went away");
                }

                @Override
                public int read(byte[] buffer, int from, int length) throws IOException {
                    return read();
                }
            });
            assertThatThrownBy(() -> Compression.open(failing, ExtractionLimits.DEFAULT)
                            .transferTo(java.io.OutputStream.nullOutputStream()))
                    .isInstanceOf(IOException.class)
                    .hasMessage("the network went away");
        }
    }

    @Test
    void survivesEveryFlippedByte() throws Exception {
        var seed = System.nanoTime();
        System.out.println("CompressionTest seed " + seed);
        var random = new Random(seed);
        for (var original : new byte[][] {gzip(CONTENT), Zstd.compress(CONTENT)}) {
            for (var i = 0; i < 500; i++) {
                var bytes = original.clone();
                bytes[random.nextInt(bytes.length)] ^= (byte) (1 + random.nextInt(255));
                try {
                    Compression.open(new ByteArrayInputStream(bytes), ExtractionLimits.DEFAULT)
                            .readAllBytes();
                } catch (ImageException e) {
                    assertThat(e.getMessage()).isNotEmpty();
                }
            }
        }
    }

    @Test
    void refusesBombs() throws Exception {
        var zeros = new byte[100 << 20];
        var limits = new ExtractionLimits(1, 1L << 30, 500, 100, 100);
        for (var bomb : new byte[][] {gzip(zeros), Zstd.compress(zeros)}) {
            assertThatThrownBy(() -> Compression.open(new ByteArrayInputStream(bomb), limits)
                            .transferTo(java.io.OutputStream.nullOutputStream()))
                    .isInstanceOf(ImageException.class)
                    .hasMessageContaining("more than 500 times");
        }
    }

    private static void refused(byte[] bytes, String mediaType, String reason) {
        assertThatThrownBy(() -> Compression.open(new ByteArrayInputStream(bytes), mediaType, ExtractionLimits.DEFAULT)
                        .readAllBytes())
                .isInstanceOf(ImageException.class)
                .hasMessageContaining(reason);
    }

    private static byte[] open(byte[] bytes) throws IOException {
        return Compression.open(new ByteArrayInputStream(bytes), ExtractionLimits.DEFAULT)
                .readAllBytes();
    }

    private static byte[] gzip(byte[] bytes) throws IOException {
        var out = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(out)) {
            gzip.write(bytes);
        }
        return out.toByteArray();
    }

    private static byte[] join(byte[]... parts) {
        var out = new ByteArrayOutputStream();
        for (var part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }

    private static byte[] content() {
        var bytes = new byte[300_000];
        new Random(7).nextBytes(bytes);
        Arrays.fill(bytes, 1000, 200_000, (byte) 'x');
        return bytes;
    }
}
