package dev.bobbin.runner.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FieldsTest {

    @Test
    void readsWhatWasWritten() throws Exception {
        var payload = new FieldsWriter()
                .u32(1, 7)
                .u64(2, 1L << 40)
                .text(3, "ä")
                .text(3, "b")
                .empty(4)
                .bytes(5, new byte[3000])
                .payload();
        var fields = Fields.decode(ByteBuffer.wrap(payload));
        assertThat(fields.requireU32(1)).isEqualTo(7);
        assertThat(fields.requireU64(2)).isEqualTo(1L << 40);
        assertThat(fields.texts(3)).isEqualTo(List.of("ä", "b"));
        assertThat(fields.has(4)).isTrue();
        assertThat(fields.bytes(5).orElseThrow().remaining()).isEqualTo(3000);
        assertThat(fields.has(6)).isFalse();
    }

    @Test
    void refusesAFieldThatPassesTheEnd() {
        var payload = new FieldsWriter().text(3, "abc").payload();
        for (var length = 1; length < payload.length; length++) {
            var cut = ByteBuffer.wrap(payload, 0, length);
            assertThatThrownBy(() -> Fields.decode(cut)).isInstanceOf(WireException.class);
        }
    }

    @Test
    void refusesNumbersOfTheWrongLength() throws Exception {
        var fields = Fields.decode(ByteBuffer.wrap(new FieldsWriter().u32(1, 7).payload()));
        assertThatThrownBy(() -> fields.u64(1)).isInstanceOf(WireException.class);
        assertThatThrownBy(() -> fields.requireU32(2)).isInstanceOf(WireException.class);
    }

    @Test
    void survivesEveryMutation() {
        var seed = Long.getLong("bobbin.seed", System.nanoTime());
        var random = new Random(seed);
        var rounds = Integer.getInteger("bobbin.fuzz.rounds", 200_000);
        for (var round = 0; round < rounds; round++) {
            var bytes = valid(random);
            for (var change = random.nextInt(4); change >= 0 && bytes.length > 0; change--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            var cut = ByteBuffer.wrap(bytes, 0, random.nextInt(bytes.length + 1));
            try {
                var fields = Fields.decode(cut);
                fields.texts(3);
                fields.u32(1);
            } catch (WireException _) {
                // refused, which is right
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed + " round " + round, e);
            }
        }
    }

    private static byte[] valid(Random random) {
        var writer = new FieldsWriter();
        for (var field = random.nextInt(5); field >= 0; field--) {
            switch (random.nextInt(3)) {
                case 0 -> writer.u32(1 + random.nextInt(3), random.nextInt());
                case 1 -> writer.u64(1 + random.nextInt(3), random.nextLong());
                default -> writer.text(3, "x".repeat(random.nextInt(40)));
            }
        }
        return writer.payload();
    }
}
