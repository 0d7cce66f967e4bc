package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.Outcome;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/// What a job sees and may do, asked by a program of ours that runs as the job.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(60)
class IsolationIT {
    /// CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE SYS_CHROOT.
    private static final String ALLOWED = "00000000000405fb";

    private static final String NONE = "0000000000000000";

    private TestHost host;

    @BeforeAll
    void open() throws Exception {
        host = TestHost.open(2);
    }

    @AfterAll
    void close() throws Exception {
        host.close();
    }

    @Test
    void holdsItsThreeStreamsAndNothingElse() throws Exception {
        var lines =
                probe("fds").lines().filter(line -> !line.contains("/proc/")).toList();
        assertThat(lines).hasSize(3);
        assertThat(lines).allMatch(line -> line.contains("pipe:") || line.contains("/dev/null"));
    }

    @Test
    void hasNamespacesOfItsOwnThatNoOtherJobHas() throws Exception {
        var first = namespaces(probe("ns"));
        var second = namespaces(probe("ns"));
        for (var kind : new String[] {"pid", "mnt", "ipc", "uts", "net", "cgroup", "user"}) {
            var hosts = Files.readSymbolicLink(Path.of("/proc/self/ns/" + kind)).toString();
            assertThat(first.get(kind)).as(kind).isNotNull().isNotEqualTo(hosts);
            // numbers of namespaces that are gone are used again, so two jobs are compared while both live
            assertThat(second).as(kind).containsKey(kind);
        }
        try (var one = host.request("sh", "-c", "./probe ns; sleep 5")
                        .workdir("/w")
                        .probe()
                        .start();
                var other = host.request("sh", "-c", "./probe ns; sleep 5")
                        .workdir("/w")
                        .probe()
                        .start()) {
            assertThat(namespaces(firstLines(one)).values())
                    .doesNotContainAnyElementsOf(namespaces(firstLines(other)).values());
            one.cancel("api");
            other.cancel("api");
        }
    }

    @Test
    void hasTheCapabilitiesOfTheListAndCanGainNone() throws Exception {
        var root = masks(probe("caps"));
        assertThat(root)
                .containsEntry("CapInh", NONE)
                .containsEntry("CapPrm", ALLOWED)
                .containsEntry("CapEff", ALLOWED)
                .containsEntry("CapBnd", ALLOWED)
                .containsEntry("CapAmb", NONE)
                .containsEntry("NoNewPrivs", "1")
                .containsEntry("Seccomp", "2");
        var nobody = masks(host.request("./probe", "caps")
                .workdir("/w")
                .user("nobody")
                .probe()
                .run()
                .stdout());
        assertThat(nobody).containsEntry("CapPrm", NONE).containsEntry("CapEff", NONE);
    }

    @Test
    void beginsWithNoSignalBlockedOrIgnored() throws Exception {
        var ids = masks(probe("ids"));
        assertThat(ids).containsEntry("SigBlk", NONE).containsEntry("SigIgn", NONE);
    }

    @Test
    void cannotBeHeldUpByAJobThatStopsItself() throws Exception {
        var result = host.request("./probe", "stop")
                .workdir("/w")
                .probe()
                .time(java.time.Duration.ofMillis(300))
                .run();
        assertThat(result.ending().outcome()).isEqualTo(new Outcome.TimedOut("time"));
    }

    @Test
    void cannotBeTrickedByAWorkingDirectoryThatIsALink() throws Exception {
        var result = host.request("sh", "-c", "ls -d $PWD/../etc/bobbin-canary; pwd")
                .workdir("/var/run/here")
                .run();
        assertThat(result.stdout()).isEqualTo("/run/here\n");
    }

    private String probe(String command) throws Exception {
        var result = host.request("./probe", command).workdir("/w").probe().run();
        assertThat(result.exitCode()).as(result.toString()).isZero();
        return result.stdout();
    }

    private static String firstLines(dev.bobbin.runner.Execution execution) throws Exception {
        while (true) {
            var text = new StringBuilder();
            execution.read(0, false, output -> {
                if (output instanceof dev.bobbin.runner.Output.Bytes bytes) {
                    text.append(new String(bytes.copy(), java.nio.charset.StandardCharsets.US_ASCII));
                }
            });
            if (text.toString().contains("uts:[")) {
                return text.toString();
            }
            Thread.onSpinWait();
        }
    }

    /// Lines such as `pid -> pid:[4026531836]`, in whatever form, by the namespace's kind.
    private static Map<String, String> namespaces(String text) {
        var found = new HashMap<String, String>();
        for (var word : text.split("\\s+", -1)) {
            if (word.matches("[a-z]+:\\[\\d+]")) {
                found.put(word.substring(0, word.indexOf(':')), word);
            }
        }
        found.remove("time");
        return found;
    }

    private static Map<String, String> masks(String text) {
        var found = new HashMap<String, String>();
        text.lines().forEach(line -> {
            var parts = line.split(":\\s+", 2);
            if (parts.length == 2) {
                found.put(parts[0], parts[1].trim());
            }
        });
        return found;
    }
}
