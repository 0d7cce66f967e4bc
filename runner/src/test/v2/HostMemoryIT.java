package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.cgroup.Cgroups;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Memory that runs out above the job: that of the whole machine, or of a cgroup round it. Only for a machine that is
/// thrown away afterwards.
class HostMemoryIT {
    private static final long MIB = 1 << 20;
    private static final Duration TIME = Duration.ofSeconds(120);

    private TestHost host;

    @BeforeEach
    void open() throws Exception {
        host = TestHost.open(1);
    }

    @AfterEach
    void close() throws Exception {
        host.close();
    }

    @Test
    void saysJobWhenItsOwnLimitIsMet() throws Exception {
        var ending = probe("exec ./probe alloc 100000", 64 * MIB).run().ending();
        assertThat(ending.outcome()).isEqualTo(new Outcome.OutOfMemory("job", "main", 137));
        System.out.println("SAID own limit: " + ending.outcome() + " " + ending.usage());
    }

    @Test
    void saysHostWhenTheMachineHasNoMoreAndOutlivesIt() throws Exception {
        var ending = probe("exec ./probe alloc 100000", 64 * 1024 * MIB).run().ending();
        assertThat(ending.outcome()).isEqualTo(new Outcome.OutOfMemory("host", "main", 137));
        assertThat(host.sh("echo alive").stdout()).isEqualTo("alive\n");
        System.out.println("SAID memory of the machine: " + ending.outcome() + " " + ending.usage());
    }

    @Test
    void saysHostWhenALimitAboveTheJobIsMet() throws Exception {
        Files.writeString(parent().resolve("memory.max"), String.valueOf(96 * MIB));
        var ending = probe("exec ./probe alloc 100000", 512 * MIB).run().ending();
        assertThat(ending.outcome()).isEqualTo(new Outcome.OutOfMemory("host", "main", 137));
        System.out.println("SAID limit above: " + ending.outcome() + " " + ending.usage());
    }

    @Test
    void doesNotBlameAJobForALimitThatReclaimKept() throws Exception {
        var large = Path.of("/usr/share/large");
        Files.write(large, new byte[(int) (192 * MIB)]);
        new ProcessBuilder("sync").start().waitFor();
        Files.writeString(Path.of("/proc/sys/vm/drop_caches"), "3");
        var execution = probe("cat /usr/share/large > /dev/null; echo read; read go; exec ./probe alloc 100000", 128 * MIB)
                .stdin(new dev.bobbin.runner.Stdin.Open())
                .start();
        awaitOutput(execution);
        var job = parent().resolve(((LocalExecution) execution).sandboxId().toString());
        assertThat(Files.readAllLines(job.resolve("memory.events")))
                .as("the job met its limit, and files made room")
                .noneMatch(line -> line.equals("max 0"))
                .contains("oom 0");
        Files.writeString(parent().resolve("memory.max"), String.valueOf(96 * MIB));
        execution.feed(0, "go\n".getBytes(java.nio.charset.StandardCharsets.UTF_8), true);
        var ending = execution.await();
        execution.close();
        Files.delete(large);
        assertThat(ending.outcome()).isEqualTo(new Outcome.OutOfMemory("host", "main", 137));
        System.out.println("SAID limit above, own limit kept by reclaim: " + ending.outcome() + " " + ending.usage());
    }

    private Path parent() {
        return Path.of("/sys/fs/cgroup").resolve(Cgroups.name(host.runDir()));
    }

    private TestHost.Request probe(String script, long memoryBytes) throws Exception {
        return host.request("sh", "-c", script)
                .workdir("/w")
                .probe()
                .limits(new Limits(memoryBytes, 0, 64, TIME, MIB, 8 * MIB));
    }

    private static void awaitOutput(Execution execution) throws Exception {
        var seen = new AtomicBoolean();
        while (!seen.get()) {
            execution.read(0, false, output -> seen.compareAndSet(false, output instanceof Output.Bytes));
            Thread.sleep(20);
        }
    }
}
