package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Mount;
import dev.bobbin.runner.Refusal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Limits that few jobs have: processors, shares of them, rates of the disk, open files.
class RareLimitsIT {
    private static final long MIB = 1024 * 1024;
    private static final Limits USUAL = Limits.DEFAULT;
    private static final String ALLOWED = "grep Cpus_allowed_list /proc/self/status | cut -f2; ulimit -n; ulimit -Hn";

    private TestHost host;

    @BeforeEach
    void open() throws Exception {
        host = TestHost.open(1);
    }

    @AfterEach
    void close() throws Exception {
        host.close();
    }

    private static Limits limits(String cpuset, int weight, Limits.Io io, int files) {
        return USUAL.on(cpuset, weight, io, files);
    }

    @Test
    void aJobStaysOnItsProcessorsAndHasItsOpenFiles() throws Exception {
        var ran = host.request("sh", "-c", ALLOWED)
                .limits(limits("0", 0, Limits.Io.UNLIMITED, 256))
                .run();
        assertThat(ran.stdout()).isEqualTo("0\n256\n256\n");
    }

    @Test
    void soDoExecsAndWhatIsStartedAgain() throws Exception {
        var sandbox =
                host.place().limits(limits("0", 0, Limits.Io.UNLIMITED, 300)).create();
        assertThat(host.sh(sandbox, ALLOWED).stdout()).isEqualTo("0\n300\n300\n");
        host.restart();
        var again = host.runtime().sandboxes().find(sandbox.id()).orElseThrow();
        assertThat(host.sh(again, ALLOWED).stdout()).isEqualTo("0\n300\n300\n");
        again.restart(9, java.time.Duration.ZERO);
        assertThat(host.sh(again, ALLOWED).stdout()).isEqualTo("0\n300\n300\n");
    }

    @Test
    void onlyWhoAsksHasACgroupMore() throws Exception {
        var usual = host.place().create();
        assertThat(spareCgroups(usual)).isEmpty();
        var bound = host.place()
                .limits(limits("0", 0, new Limits.Io(MIB, 0, 0, 0), 0))
                .create();
        assertThat(spareCgroups(bound)).hasSameSizeAs(spareParents());
        bound.remove();
        for (var tries = 0; !spareCgroups(bound).isEmpty(); tries++) {
            assertThat(tries).isLessThan(500);
            Thread.sleep(10); // the nursery clears up when PID 1 is reaped
        }
    }

    @Test
    void nothingInsideShowsTheNamesOfItsCgroups() throws Exception {
        var both = limits("0", 0, new Limits.Io(MIB, 0, 0, 0), 0);
        var shown = "cut -d: -f3 /proc/self/cgroup | sort -u";
        assertThat(host.request("sh", "-c", shown).limits(both).run().stdout()).isEqualTo("/\n");
        assertThat(host.request("sh", "-c", shown).run().stdout()).isEqualTo("/\n");
        var sandbox = host.place().limits(both).create();
        assertThat(host.sh(sandbox, shown).stdout()).isEqualTo("/\n");
        var withCommand =
                host.place("sh", "-c", shown + "; sleep 60").limits(both).create();
        assertThat(host.sh(withCommand, shown).stdout()).isEqualTo("/\n");
    }

    /// In v1; in v2 there is one cgroup for all.
    private List<Path> spareParents() throws IOException {
        return Files.readAllLines(host.runDir().resolve("cgroups")).stream()
                .filter(line -> line.startsWith("cpuset=") || line.startsWith("blkio="))
                .map(line -> Path.of(line.substring(line.indexOf('=') + 1)))
                .toList();
    }

    private List<Path> spareCgroups(LastingSandbox sandbox) throws IOException {
        return spareParents().stream()
                .map(parent -> parent.resolve(sandbox.id().toString()))
                .filter(Files::exists)
                .toList();
    }

    @Test
    void writesAndReadsKeepToTheirRate() throws Exception {
        var slow = new Limits.Io(2 * MIB, 2 * MIB, 0, 0);
        var sandbox = host.place()
                .limits(limits("", 0, slow, 0))
                .mount(new Mount.Volume("disk", "/v", false))
                .create();
        var began = System.nanoTime();
        assertThat(host.sh(sandbox, "dd if=/dev/zero of=/v/f bs=1M count=4 oflag=direct")
                        .exitCode())
                .isZero();
        var wrote = System.nanoTime();
        assertThat(host.sh(sandbox, "dd if=/v/f of=/dev/null bs=1M iflag=direct")
                        .exitCode())
                .isZero();
        assertThat((wrote - began) / 1_000_000).isGreaterThan(1500);
        assertThat((System.nanoTime() - wrote) / 1_000_000).isGreaterThan(1500);
    }

    @Test
    void aWeightIsWhatTheKernelIsTold() throws Exception {
        var sandbox =
                host.place().limits(limits("", 200, Limits.Io.UNLIMITED, 0)).create();
        var told = Files.readAllLines(host.runDir().resolve("cgroups")).stream()
                .map(line -> Path.of(line.substring(line.indexOf('=') + 1))
                        .resolve(sandbox.id().toString()))
                .flatMap(cgroup -> List.of(cgroup.resolve("cpu.shares"), cgroup.resolve("cpu.weight")).stream())
                .filter(Files::exists)
                .toList();
        assertThat(told).hasSize(1);
        var weight = told.getFirst().endsWith("cpu.shares") ? "2048" : "200";
        assertThat(told.getFirst()).hasContent(weight);
    }

    @Test
    void refusesWhatThisMachineDoesNotHave() throws Exception {
        var elsewhere = host.request("true")
                .limits(limits("0,4095", 0, Limits.Io.UNLIMITED, 0))
                .refusal();
        assertThat(elsewhere.reason()).isEqualTo(Refusal.Reason.NO_HOST_FITS);
        assertThat(elsewhere.field()).isEqualTo("limits.cpuset");
        var files = host.request("true")
                .limits(limits("", 0, Limits.Io.UNLIMITED, 1 << 30))
                .refusal();
        assertThat(files.field()).isEqualTo("limits.nofile");
    }
}
