package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Sample;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/// What sandboxes say of themselves while they do what can be counted.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(60)
class SamplesIT {
    private static final long MIB = 1 << 20;

    private TestHost host;

    @BeforeAll
    void open() throws Exception {
        host = TestHost.open(0);
    }

    @AfterAll
    void close() throws Exception {
        host.close();
    }

    @Test
    void countsTimeAndHowItIsHeldBack() throws Exception {
        var slow = new Limits(256 * MIB, 0.2, 100, Duration.ofMinutes(1), MIB, MIB);
        var sandbox = host.place().limits(slow).create();
        var before = sandbox.sample().orElseThrow();
        host.exec(sandbox, "sh", "-c", "while :; do :; done")
                .time(Duration.ofSeconds(1))
                .run();
        var after = sandbox.sample().orElseThrow();
        var micros = after.cpu().totalMicros() - before.cpu().totalMicros();
        assertThat(micros).isBetween(20_000L, 500_000L);
        assertThat(after.cpu().userMicros())
                .isPositive()
                .isLessThan(2 * after.cpu().totalMicros());
        assertThat(after.cpu().periods()).isGreaterThan(3);
        assertThat(after.cpu().throttledPeriods()).isGreaterThan(3);
        assertThat(after.cpu().throttledMicros()).isGreaterThan(10_000);
        assertThat(after.at()).isAfter(before.at());
        sandbox.remove();
        assertThat(sandbox.sample()).isEmpty();
    }

    @Test
    void countsMemoryByItsKinds() throws Exception {
        var sandbox = host.place().probe().create();
        assertThat(sandbox.sample().orElseThrow().memory().bytes()).isLessThan(16 * MIB);
        var holding = host.exec(sandbox, "sh", "-c", "/probe alloc 40; :").run();
        assertThat(holding.exitCode()).as(holding.stderr()).isZero();
        var after = sandbox.sample().orElseThrow().memory();
        assertThat(after.peakBytes()).isGreaterThan(40 * MIB);
        assertThat(after.bytes()).isLessThan(after.peakBytes() - 20 * MIB);
        host.sh(sandbox, "head -c 30000000 /dev/zero > /root/file");
        var cached = sandbox.sample().orElseThrow().memory();
        assertThat(cached.cacheBytes() - after.cacheBytes()).isGreaterThan(20 * MIB);
        assertThat(cached.anonymousBytes()).isLessThan(10 * MIB);
        sandbox.remove();
    }

    @Test
    void countsProcessesAndWhatTheyWrite() throws Exception {
        var sandbox = host.place().create();
        var before = sandbox.sample().orElseThrow();
        for (var i = 0; i < 400 && before.pids() > 0; i++) { // the parked process of an idle sandbox leaves by itself
            TimeUnit.MILLISECONDS.sleep(25);
            before = sandbox.sample().orElseThrow();
        }
        assertThat(before.pids()).isZero();
        var three = host.exec(
                        sandbox,
                        "sh",
                        "-c",
                        "head -c 10000000 /dev/zero > /root/file; echo x; sleep 60 & sleep 60 & wait")
                .start();
        Sample now = before;
        for (var i = 0; i < 200 && now.pids() < 3; i++) {
            TimeUnit.MILLISECONDS.sleep(25);
            now = sandbox.sample().orElseThrow();
        }
        assertThat(now.pids()).isEqualTo(3);
        assertThat(now.block().outBytes() - before.block().outBytes()).isBetween(10_000_000L, 11_000_000L);
        three.cancel("api");
        three.await();
        var after = sandbox.sample().orElseThrow();
        assertThat(after.block().outBytes()).isGreaterThanOrEqualTo(now.block().outBytes());
        assertThat(after.network()).isEqualTo(new Sample.Traffic(0, 0));
        sandbox.remove();
    }

    @Test
    void addsUpInterfacesButForTheOneToItself() {
        var lines = List.of(
                "Inter-|   Receive                          |  Transmit",
                " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets",
                "    lo: 700 1 0 0 0 0 0 0 700 1 0 0 0 0 0 0",
                "  eth0:    100    2 0 0 0 0 0 0      50    1 0 0 0 0 0 0",
                "  eth1:1000 2 0 0 0 0 0 0 500 1 0 0 0 0 0 0");
        assertThat(Samples.network(lines)).isEqualTo(new Sample.Traffic(1100, 550));
    }
}
