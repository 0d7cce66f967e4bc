package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.runner.Capability;
import dev.bobbin.runner.Cidr;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.Network.Bridge;
import dev.bobbin.runner.Network.Egress;
import dev.bobbin.runner.Rights;
import dev.bobbin.runner.net.NetworkConfig;
import java.net.Inet4Address;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/// Sandboxes whose root has rights over their network.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(60)
class OwnNetworkIT {
    private static final int SIGKILL = 9;
    private static final Rights ADMIN = new Rights(false, Set.of(Capability.NET_ADMIN, Capability.NET_RAW));

    private World world;
    private TestHost host;

    @BeforeAll
    void open() throws Exception {
        world = new World();
        host = TestHost.openAllowing(
                Files.createTempDirectory("bobbin-own-network"), true, NetworkConfig.STANDARD, ADMIN, Map.of());
    }

    @AfterAll
    void close() throws Exception {
        host.close();
        world.close();
    }

    private TestHost.Result run(Network network, String script) throws Exception {
        return host.request("sh", "-c", script)
                .workdir("/w")
                .probe()
                .network(network)
                .rights(ADMIN)
                .run();
    }

    private String ask(String protocol, Inet4Address address) {
        return "./probe talk to " + protocol + " " + address.getHostAddress() + " " + world.port;
    }

    @Test
    void rootMakesLinksAndAddressesOfItsOwn() throws Exception {
        var made = run(
                Network.NONE,
                "ip link add d0 type veth peer name d1 && ip link set d1 up && ip address add 10.9.9.9/24 dev d0 && ip link set d0 up && ls /sys/class/net"
                        + " && ip route get 10.9.9.7 && cat /proc/sys/net/ipv4/ip_unprivileged_port_start");
        assertThat(made.stderr()).isEmpty();
        assertThat(made.stdout())
                .startsWith("d0\nd1\nlo\n")
                .contains("dev d0 src 10.9.9.9")
                .endsWith("\n0\n");
        assertThat(Path.of("/sys/class/net/d0")).doesNotExist();
        var without = host.request("ip", "link", "add", "d0", "type", "veth").run();
        assertThat(without.stderr()).contains("Operation not permitted");
    }

    @Test
    void othersThanRootAndTheMachinesFilesStayAsTheyAre() throws Exception {
        var other = host.request("ip", "link", "set", "lo", "down")
                .rights(ADMIN)
                .user("1000")
                .run();
        assertThat(other.exitCode()).isNotZero();
        var written = run(
                Network.NONE,
                "echo 1 > /proc/sys/net/ipv4/ip_forward; mkdir /sys/class/net/x; ls -A /sys/firmware; mount -t sysfs x /mnt");
        assertThat(written.stdout()).isEmpty();
        assertThat(written.stderr()).contains("Read-only file system").contains("mount:");
    }

    @Test
    void opensRawSocketsAndNoOthersThanBefore() throws Exception {
        var raw = host.request("./probe", "attempt", "raw", "packet", "vsock", "uevent")
                .workdir("/w")
                .probe()
                .rights(ADMIN)
                .run();
        assertThat(raw.stdout()).startsWith("raw done\n").hasLineCount(4);
        assertThat(raw.stdout().lines().skip(1)).noneMatch(line -> line.endsWith("done"));
    }

    @Test
    void onTheBridgeReachesTheSameFromTheFirstPacketOn() throws Exception {
        for (var job = 0; job < 10; job++) {
            assertThat(run(Bridge.PLAIN, ask("once", world.there)).stdout())
                    .isEqualTo(world.here.getHostAddress() + "\n");
        }
        assertThat(run(Bridge.PLAIN, ask("tcp", world.there)).stdout()).isEqualTo(world.here.getHostAddress() + "\n");
        for (var hidden : world.hidden) {
            assertThat(run(Bridge.PLAIN, ask("tcp", hidden)).stdout()).doesNotContain(".");
        }
        var closed = new Bridge(null, List.of(), List.of(), new Egress(false, List.of(), List.of()));
        assertThat(run(closed, ask("tcp", world.there)).stdout()).doesNotContain(".");
    }

    @Test
    void sendsOnlyFromItsOwnAddressWhateverItGivesItself() throws Exception {
        var place = host.place()
                .workdir("/w")
                .probe()
                .network(Bridge.PLAIN)
                .rights(ADMIN)
                .create();
        var own = place.address().orElseThrow();
        assertThat(host.sh(place, ask("udp", world.there) + " " + own.getHostAddress())
                        .stdout())
                .isEqualTo(world.here.getHostAddress() + "\n");
        var next = Cidr.around(own, NetworkConfig.PART_PREFIX).address(16_382).getHostAddress();
        var before = world.datagrams();
        var forged = String.join(" ", next, world.here.getHostAddress(), "8.8.8.8");
        var sent = host.sh(
                place,
                "for a in " + forged + "; do ip address add $a/32 dev eth0 && " + ask("udp", world.there)
                        + " $a & done; wait");
        assertThat(sent.stdout()).as(sent.stderr()).isEqualTo("silence\n".repeat(3));
        assertThat(world.datagrams()).isEqualTo(before);
        place.remove();
    }

    @Test
    void keepsItForExecsAndAfterEveryStart() throws Exception {
        var place = host.place()
                .workdir("/w")
                .probe()
                .network(Bridge.PLAIN)
                .rights(ADMIN)
                .create();
        for (var round = 0; round < 2; round++) {
            var seen = host.sh(
                    place, "ip link set lo down && ip link set lo up; ls /sys/class/net; " + ask("tcp", world.there));
            assertThat(seen.stderr()).isEmpty();
            assertThat(seen.stdout()).isEqualTo("eth0\nlo\n" + world.here.getHostAddress() + "\n");
            assertThat(place.stop(SIGKILL, Duration.ZERO)).isEmpty();
            assertThat(place.start()).isEmpty();
        }
        assertThat(host.sh(place, "ip link delete eth0; ls /sys/class/net").stdout())
                .isEqualTo("lo\n");
        place.remove();
        assertThat(run(Bridge.PLAIN, ask("tcp", world.there)).stdout()).isEqualTo(world.here.getHostAddress() + "\n");
    }

    @Test
    void isNotTheMachines() {
        assertThatThrownBy(() -> run(new Network.Host(), "true"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(
                        "capabilities.add: CAP_NET_ADMIN and CAP_NET_RAW are of a network of the sandbox's");
    }
}
