package dev.bobbin.scheduler.http.minibox;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class CpuUnitTest {
    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "-5, 0",
        "1, 0.01",
        "50, 0.5",
        "100, 1",
        "200, 2", // percent
        "300, 2",
        "999, 2", // more percent than two processors have
        "1000, 0.01",
        "50000, 0.5",
        "100000, 1",
        "150000, 1.5",
        "900000, 2" // microseconds of each tenth of a second
    })
    void readsPercentAndQuota(long cpu, double cpus) {
        assertThat(CpuUnit.cpus(cpu, 2)).isEqualTo(cpus);
    }
}
