package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.Cidr;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.SandboxState;
import dev.bobbin.runner.net.NetworkConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/// Settings of the kernel in a sandbox's own namespaces, which are nobody else's.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(60)
class SysctlsIT {
    private static final int SIGTERM = 15;
    private static final List<String> FILES = List.of(
            "kernel/msgmax",
            "kernel/sem",
            "kernel/shmmax",
            "kernel/shm_rmid_forced",
            "fs/mqueue/msg_max",
            "net/core/somaxconn",
            "net/ipv4/ip_default_ttl",
            "net/ipv4/ip_local_port_range",
            "net/ipv4/ip_unprivileged_port_start",
            "net/ipv4/ping_group_range",
            "net/ipv4/tcp_congestion_control");
    private static final String READ = "cd /proc/sys; cat " + String.join(" ", FILES);
    /// The number of CAP_SYS_MODULE.
    private static final int MODULES = 16;

    private TestHost host;
    private Map<String, String> ofMachine = Map.of();

    @BeforeAll
    void open() throws Exception {
        var networks = new NetworkConfig(true, Cidr.of("10.128.0.0/10"), List.of(), List.of());
        host = TestHost.open(2, Files.createTempDirectory("bobbin-sysctls"), true, networks);
    }

    @AfterAll
    void close() throws Exception {
        host.close();
    }

    @BeforeEach
    void lookAtTheMachine() throws Exception {
        ofMachine = machine();
    }

    @AfterEach
    void changesNothingOfTheMachine() throws Exception {
        assertThat(machine()).isEqualTo(ofMachine);
    }

    private static Map<String, String> machine() throws Exception {
        var values = new TreeMap<String, String>();
        for (var file : FILES) {
            values.put(file, Files.readString(Path.of("/proc/sys", file)));
        }
        return values;
    }

    @Test
    void areSetBeforeTheFirstInstruction() throws Exception {
        var result = host.request("sh", "-c", READ + "; echo 7 > net/core/somaxconn")
                .sysctl("kernel.msgmax", "4097")
                .sysctl("kernel.sem", "251 32001 101 129")
                .sysctl("kernel.shmmax", "65537")
                .sysctl("kernel.shm_rmid_forced", "1")
                .sysctl("fs.mqueue.msg_max", "11")
                .sysctl("net.core.somaxconn", "1021")
                .sysctl("net.ipv4.ip_default_ttl", "99")
                .sysctl("net.ipv4.ip_local_port_range", "20000 20010")
                .sysctl("net.ipv4.ip_unprivileged_port_start", "1024")
                .run();
        assertThat(result.stdout())
                .startsWith("4097\n251\t32001\t101\t129\n65537\n1\n11\n1021\n99\n20000\t20010\n1024\n0\t65535\n");
        assertThat(result.stderr()).contains("Read-only file system");
    }

    @Test
    void sayGroupsAsTheyAreInside() throws Exception {
        for (var each : List.of(
                List.of("0 0", "0\t0\n"),
                List.of("5 2147483647", "5\t65535\n"),
                List.of("0 65535", "0\t65535\n"),
                // nobody: two ids of the machine, which the sandbox has not
                List.of("1 0", "65534\t65534\n"))) {
            var result = host.request("cat", "/proc/sys/net/ipv4/ping_group_range")
                    .sysctl("net.ipv4.ping_group_range", each.getFirst())
                    .run();
            assertThat(result.stdout()).as(each.getFirst()).isEqualTo(each.getLast());
        }
    }

    @Test
    void goWithTheirNetwork() throws Exception {
        var usual = host.sh(READ).stdout();
        for (var job = 0; job < 6; job++) {
            var changed =
                    host.request("true").sysctl("net.core.somaxconn", "1021").run();
            assertThat(changed.exitCode()).isZero();
            // what the kernel refuses comes after what it took
            var failed = host.request("true")
                    .sysctl("net.ipv4.ip_default_ttl", "99")
                    .sysctl("net.core.somaxconn", "many")
                    .run();
            assertThat(failed.cause()).isEqualTo("sandbox_error");
            for (var next = 0; next < 4; next++) {
                assertThat(host.sh(READ).stdout()).isEqualTo(usual);
            }
        }
    }

    @Test
    void endTheStartIfTheKernelRefusesThem() throws Exception {
        for (var each : List.of(
                List.of("net.core.somaxconn", "many", "set the sysctl net.core.somaxconn to \"many\" (errno 22)"),
                List.of("net.ipv4.ping_group_range", "0", "read \"0\" as groups"),
                List.of("net.core.no_such", "1", "set the sysctl net.core.no_such (errno 2)"),
                List.of("net.core", "1", "set the sysctl net.core (errno 21)"))) {
            var result =
                    host.request("echo", "ran").sysctl(each.get(0), each.get(1)).run();
            assertThat(result.cause()).isEqualTo("sandbox_error");
            assertThat(result.ending().outcome().toString()).contains(each.get(2));
            assertThat(result.stdout()).isEmpty();
            var sandbox = host.place().sysctl(each.get(0), each.get(1)).create();
            assertThat(sandbox.state()).isEqualTo(SandboxState.FAILED);
            assertThat(sandbox.problem().orElseThrow()).contains(each.get(2));
            sandbox.remove();
        }
    }

    @Test
    void areTheSandboxsOverStopAndStart() throws Exception {
        var sandbox = host.place()
                .name("tuned")
                .sysctl("net.core.somaxconn", "1021")
                .sysctl("kernel.shmmax", "65537")
                .create();
        var script = "cat /proc/sys/net/core/somaxconn /proc/sys/kernel/shmmax";
        assertThat(host.sh(sandbox, script).stdout()).isEqualTo("1021\n65537\n");
        assertThat(sandbox.restart(SIGTERM, Duration.ofSeconds(5))).isEmpty();
        assertThat(host.sh(sandbox, script).stdout()).isEqualTo("1021\n65537\n");
        assertThat(sandbox.stop(SIGTERM, Duration.ofSeconds(5))).isEmpty();
        host.restart();
        var again = host.runtime().sandboxes().find("default", "tuned").orElseThrow();
        assertThat(again.state()).isEqualTo(SandboxState.STOPPED);
        assertThat(again.start()).isEmpty();
        assertThat(host.sh(again, script).stdout()).isEqualTo("1021\n65537\n");
        again.remove();
    }

    /// The name of an algorithm would load its module if PID 1 might.
    @Test
    void loadNoModules() throws Exception {
        var plain = host.place().create();
        var tuned = host.place().sysctl("net.core.somaxconn", "1021").create();
        assertThat(mayLoadModules(plain.pid().orElseThrow()))
                .isEqualTo(mayLoadModules(ProcessHandle.current().pid()));
        assertThat(mayLoadModules(tuned.pid().orElseThrow())).isFalse();
        var unknown = host.request("true")
                .sysctl("net.ipv4.tcp_congestion_control", "nosuch")
                .run();
        assertThat(unknown.cause()).isEqualTo("sandbox_error");
        plain.remove();
        tuned.remove();
    }

    private static boolean mayLoadModules(long pid) throws Exception {
        var status = Path.of("/proc/" + pid + "/status");
        var capabilities = Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("CapEff:"))
                .mapToLong(line -> Long.parseUnsignedLong(line.substring(7).strip(), 16))
                .findFirst()
                .orElseThrow();
        return (capabilities >> MODULES & 1) == 1;
    }

    @Test
    void areOfTheNetworkOnABridge() throws Exception {
        var result = host.request(
                        "sh",
                        "-c",
                        "cd /proc/sys/net; cat ipv4/conf/eth0/rp_filter ipv4/ip_default_ttl ipv6/conf/eth0/disable_ipv6;"
                                + " grep -c eth0 /proc/net/if_inet6")
                .network(Network.Bridge.PLAIN)
                .sysctl("net.ipv4.conf.eth0.rp_filter", "2")
                .sysctl("net.ipv4.ip_default_ttl", "99")
                .run();
        assertThat(result.stdout()).as(result.toString()).isEqualTo("2\n99\n1\n0\n");
    }

    @Test
    void mayBeOfAllButTheNetworkWhereThatIsTheMachines() throws Exception {
        var result = host.request("cat", "/proc/sys/kernel/shmmax")
                .network(new Network.Host())
                .sysctl("kernel.shmmax", "65537")
                .run();
        assertThat(result.stdout()).as(result.toString()).isEqualTo("65537\n");
    }
}
