package dev.bobbin.scheduler.http.v1;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class QuantityTest {
    @Test
    void readsSizes() {
        assertThat(Quantity.bytes("256MiB")).contains(256L << 20);
        assertThat(Quantity.bytes("1.5GiB")).contains(3L << 29);
        assertThat(Quantity.bytes("1 kB")).contains(1000L);
        assertThat(Quantity.bytes("4096")).contains(4096L);
    }

    @Test
    void readsDurations() {
        assertThat(Quantity.duration("250ms")).contains(Duration.ofMillis(250));
        assertThat(Quantity.duration("30s")).contains(Duration.ofSeconds(30));
        assertThat(Quantity.duration("5m")).contains(Duration.ofMinutes(5));
        assertThat(Quantity.duration("0.5")).contains(Duration.ofMillis(500));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "MiB", "-1", "1e9", "1 2", "256mib", "0x10", "1MiB ", "99999999999999999TiB", "1.", "٣"})
    void refusesWhatIsNotASize(String text) {
        assertThat(Quantity.bytes(text)).isEmpty();
    }
}
