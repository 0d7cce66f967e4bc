package dev.bobbin.scheduler.http.v1;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class Utf8Test {

    /// The platform's decoder is the judge: text is whole where it decodes, and hopeless where no byte could save it.
    @Test
    void agreesWithThePlatformOnRandomBytes() {
        var seed = new Random().nextLong();
        System.out.println("Utf8Test seed " + seed);
        var random = new Random(seed);
        for (var round = 0; round < 200_000; round++) {
            var data = new byte[random.nextInt(7)];
            for (var index = 0; index < data.length; index++) {
                data[index] = (byte) (random.nextBoolean() ? 0x80 + random.nextInt(0x80) : random.nextInt(0x100));
            }
            var whole = Utf8.whole(data, data.length);
            if (whole < 0) {
                assertThat(decodes(data, data.length)).as(Arrays.toString(data)).isFalse();
            } else {
                assertThat(decodes(data, whole)).as(Arrays.toString(data)).isTrue();
                assertThat(data.length - whole).isLessThan(4);
                assertThat(whole == data.length || canBecomeWhole(data, whole))
                        .as(Arrays.toString(data))
                        .isTrue();
            }
        }
    }

    private static boolean canBecomeWhole(byte[] data, int from) {
        for (var more = 1; more <= 3; more++) {
            var longer = Arrays.copyOfRange(data, from, data.length + more);
            Arrays.fill(longer, data.length - from, longer.length, (byte) 0x80);
            var other = longer.clone();
            Arrays.fill(other, data.length - from, other.length, (byte) 0xbf);
            if (decodes(longer, longer.length) || decodes(other, other.length)) {
                return true;
            }
        }
        return false;
    }

    private static boolean decodes(byte[] data, int length) {
        try {
            var _ = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(data, 0, length));
            return true;
        } catch (CharacterCodingException _) {
            return false;
        }
    }
}
