package dev.bobbin.scheduler.http.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ByteRangeTest {
    @ParameterizedTest
    @CsvSource({"bytes=0-3,0,3", "bytes=4-4,4,4", "bytes=7-,7,9", "bytes=7-99,7,9", "bytes=-3,7,9", "bytes=-99,0,9"})
    void readsOnePart(String header, long first, long last) {
        assertThat(ByteRange.asks(header)).isTrue();
        assertThat(ByteRange.of(header, 10)).contains(new ByteRange(first, last));
    }

    @ParameterizedTest
    @ValueSource(strings = {"bytes=10-", "bytes=10-20", "bytes=-0"})
    void hasNothingBehindTheEnd(String header) {
        assertThat(ByteRange.asks(header)).isTrue();
        assertThat(ByteRange.of(header, 10)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"bytes=0-1,3-4", "bytes=-", "bytes=5-2", "lines=0-1", "bytes=a-b", ""})
    void leavesOtherHeadersAlone(String header) {
        assertThat(ByteRange.asks(header)).isFalse();
    }

    @Test
    void countsBothEnds() {
        assertThat(new ByteRange(2, 5).length()).isEqualTo(4);
    }
}
