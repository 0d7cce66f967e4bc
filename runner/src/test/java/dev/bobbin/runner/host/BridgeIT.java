package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.Cidr;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.Network.Bridge;
import dev.bobbin.runner.Network.Egress;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.kernel.Nftables;
import dev.bobbin.runner.net.NetworkConfig;
import dev.bobbin.runner.net.Networks;
import java.net.Inet4Address;
import java.net.NetworkInterface;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// What sandboxes on a bridge reach, and who reaches them.
final class BridgeIT extends BridgeTests {
    private static final int IN_PARALLEL = 16;

    @Test
    void reachesThePublic() throws Exception {
        reaches(Bridge.PLAIN, world.there);
    }

    @Test
    void commandsOfBuildsReachIt() throws Exception {
        var asked = new TestBuilds(host)
                .of(
                        "asking",
                        "FROM bb\nCOPY --chmod=755 probe /probe\nRUN /probe talk to tcp " + world.there.getHostAddress()
                                + " " + world.port + "\n")
                .file("probe", Files.readAllBytes(Path.of(World.probe())));
        var reached = asked.network(Bridge.PLAIN).build().succeeded();
        assertThat(reached.output()).endsWith(" " + world.here.getHostAddress() + "\n");
        var alone = asked.network(Network.NONE).build().succeeded();
        assertThat(REFUSED).anyMatch(refusal -> alone.output().endsWith(" " + refusal + "\n"));
    }

    @Test
    void losesNotEvenTheFirstPacket() throws Exception {
        for (var job = 0; job < 20; job++) {
            var asked = host.request(
                            "./probe", "talk", "to", "once", world.there.getHostAddress(), String.valueOf(world.port))
                    .workdir("/w")
                    .probe()
                    .network(Bridge.PLAIN)
                    .run();
            assertThat(asked.stdout()).isEqualTo(world.here.getHostAddress() + "\n");
        }
    }

    @Test
    void reachesNothingThatIsPrivateAndNoMetadata() throws Exception {
        for (var address : world.hidden) {
            isKeptFrom(Bridge.PLAIN, address);
        }
    }

    @Test
    void doesNotReachThisMachine() throws Exception {
        isKeptFrom(Bridge.PLAIN, world.here);
        var place = host.place().network(Bridge.PLAIN).create();
        var gateway = Cidr.around(place.address().orElseThrow(), NetworkConfig.PART_PREFIX)
                .address(1);
        isKeptFrom(Bridge.PLAIN, gateway);
        for (var local : NetworkInterface.networkInterfaces()
                .flatMap(NetworkInterface::inetAddresses)
                .filter(Inet4Address.class::isInstance)
                .map(Inet4Address.class::cast)
                .filter(address -> !address.isLoopbackAddress())
                .toList()) {
            assertThat(ask(Bridge.PLAIN, local.getHostAddress(), world.port))
                    .as("%s", local)
                    .allMatch(REFUSED::contains);
        }
        place.remove();
    }

    @Test
    void reachesAPrivateRangeOnlyIfTheConfigurationOpensIt() throws Exception {
        var opened = world.hidden.get(1);
        // the world answers datagrams from another address
        assertThat(ask(
                        egress(new Egress(false, List.of(new Cidr(opened, 32)), List.of())),
                        opened.getHostAddress(),
                        world.port))
                .first()
                .isEqualTo(world.here.getHostAddress());
        for (var range : List.of(Cidr.of("10.0.0.0/8"), Cidr.of("0.0.0.0/0"), new Cidr(world.hidden.getFirst(), 32))) {
            var refusal = host.request("true")
                    .network(egress(new Egress(true, List.of(range), List.of())))
                    .refusal();
            assertThat(refusal.reason()).as("%s", range).isEqualTo(Refusal.Reason.FORBIDDEN);
            assertThat(refusal.detail()).startsWith("network.egress.allow:");
        }
    }

    @Test
    void withoutTheInternetReachesOnlyWhatIsAllowed() throws Exception {
        isKeptFrom(egress(new Egress(false, List.of(), List.of())), world.there);
        isKeptFrom(egress(new Egress(true, List.of(), List.of("example.org"))), world.there);
        reaches(egress(new Egress(false, List.of(Cidr.around(world.there, 24)), List.of())), world.there);
    }

    @Test
    void countsAddressesAndWhatIsDeniedByWhy() throws Exception {
        try (var counted = open(0)) {
            var addresses = counted.meters.get("bobbin.network.addresses").gauge();
            assertThat(addresses.value()).isZero();
            var place = counted.place()
                    .workdir("/w")
                    .probe()
                    .network(egress(new Egress(false, List.of(), List.of())))
                    .create();
            var open =
                    counted.place().workdir("/w").probe().network(Bridge.PLAIN).create();
            assertThat(addresses.value()).isEqualTo(2);
            var ask = "cd /w; ./probe talk to tcp %s " + world.port;
            var gateway = Cidr.around(open.address().orElseThrow(), NetworkConfig.PART_PREFIX)
                    .address(1);
            counted.sh(open, ask.formatted(world.hidden.getFirst().getHostAddress()));
            counted.sh(open, ask.formatted(world.hidden.get(2).getHostAddress()));
            counted.sh(open, ask.formatted(gateway.getHostAddress()));
            counted.sh(open, ask.formatted(place.address().orElseThrow().getHostAddress()));
            counted.sh(place, ask.formatted(world.there.getHostAddress()));
            counted.sh(open, "getent ahostsv4 nobody");
            for (var reason : List.of("closed", "private", "machine", "neighbour", "egress")) {
                while (denied(counted, reason) == 0) {
                    Thread.sleep(50); // until the bridge is looked after
                }
            }
            assertThat(denied(counted, "forged")).isZero();
            assertThat(counted.meters
                            .get("bobbin.dns.queries")
                            .tag("result", "no_such_name")
                            .counter()
                            .count())
                    .isPositive();
        }
    }

    private static double denied(TestHost host, String reason) {
        return host.meters
                .get("bobbin.network.denied.packets")
                .tag("reason", reason)
                .counter()
                .count();
    }

    @Test
    void sendsOnlyFromItsOwnAddress() throws Exception {
        var place = host.place().network(Bridge.PLAIN).create();
        var neighbour = host.place().network(Bridge.PLAIN).create();
        var own = place.address().orElseThrow().getHostAddress();
        var other = neighbour.address().orElseThrow().getHostAddress();
        var free = Cidr.around(place.address().orElseThrow(), NetworkConfig.PART_PREFIX)
                .address(16_382)
                .getHostAddress();
        var first = world.datagrams();
        assertThat(sentFrom(place, own)).isEqualTo(world.here.getHostAddress());
        assertThat(world.datagrams()).isGreaterThan(first);
        var before = world.datagrams();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var sent = new ArrayList<Future<String>>();
            for (var forged : List.of(other, free, world.here.getHostAddress(), "8.8.8.8")) {
                enter(place, "ip", "address", "add", forged + "/32", "dev", "eth0");
                sent.add(threads.submit(() -> sentFrom(place, forged)));
            }
            for (var each : sent) {
                assertThat(each.get()).isEqualTo("silence");
            }
        }
        assertThat(world.datagrams()).isEqualTo(before);
        place.remove();
        neighbour.remove();
    }

    @Test
    void answersToASandboxThatIsGoneReachNobodyWhoHasItsAddressNext() throws Exception {
        var port = world.repeating();
        var place = host.place(
                        "bash",
                        "-c",
                        "exec 3<>/dev/udp/" + world.there.getHostAddress() + "/" + port + "; echo >&3; cat <&3")
                .network(Bridge.PLAIN)
                .create();
        var address = place.address().orElseThrow().getHostAddress();
        while (received(enter(place, "cat", "/proc/net/snmp")) < 5) {
            Thread.sleep(10);
        }
        place.remove();
        var heir = "h" + Integer.toHexString(ThreadLocalRandom.current().nextInt(1 << 28));
        World.host("ip", "netns", "add", heir);
        try {
            World.host("ip", "link", "add", heir, "type", "veth", "peer", "name", "in", "netns", heir);
            World.host("ip", "-n", heir, "address", "add", address + "/32", "dev", "in");
            World.host("ip", "-n", heir, "link", "set", "in", "up");
            World.host("ip", "link", "set", heir, "up");
            Thread.sleep(3000); // the bridge is looked after every two seconds
            World.host("ip", "route", "replace", address + "/32", "dev", heir);
            var before = received(World.host("ip", "netns", "exec", heir, "cat", "/proc/net/snmp"));
            Thread.sleep(500);
            assertThat(received(World.host("ip", "netns", "exec", heir, "cat", "/proc/net/snmp")))
                    .isEqualTo(before);
            World.host("bash", "-c", "echo > /dev/udp/" + address + "/9");
            while (received(World.host("ip", "netns", "exec", heir, "cat", "/proc/net/snmp")) == before) {
                Thread.sleep(10);
            }
        } finally {
            World.host("ip", "link", "delete", heir);
            World.host("ip", "netns", "delete", heir);
        }
    }

    /// How many datagrams came, whether somebody waited for them or not.
    private static long received(String snmp) {
        var values = snmp.lines()
                .filter(line -> line.startsWith("Udp:"))
                .toList()
                .getLast()
                .split(" ", -1);
        return Long.parseLong(values[1]) + Long.parseLong(values[2]);
    }

    @Test
    void changesNothingOfItsNetwork() throws Exception {
        var place = host.place().network(Bridge.PLAIN).create();
        for (var command : List.of(
                "ip link set eth0 down",
                "ip address add 10.1.1.1/32 dev eth0",
                "ip route del default",
                "ip route add 10.0.0.0/8 dev eth0",
                "ip neigh replace 10.1.1.1 lladdr 02:00:00:00:00:01 dev eth0",
                "echo 1 > /proc/sys/net/ipv4/ip_forward",
                "echo 0 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6")) {
            assertThat(host.sh(place, command).exitCode()).as(command).isNotZero();
        }
        assertThat(host.sh(place, "cat /proc/net/if_inet6").stdout().lines())
                .as("no address but its loopback's")
                .allMatch(line -> line.endsWith("lo"));
        assertThat(host.sh(place, "cat /etc/resolv.conf /etc/hosts").stdout())
                .startsWith("nameserver 10.")
                .contains(place.address().orElseThrow().getHostAddress() + " ");
        var before = place.sample().orElseThrow().network();
        assertThat(enter(place, World.probe(), "talk", "to", "tcp", world.there.getHostAddress(), "" + world.port))
                .isNotEmpty();
        assertThat(place.sample().orElseThrow().network().outBytes()).isGreaterThan(before.outBytes());
        place.remove();
    }

    @Test
    void hasItsNetworkAgainAfterAStop() throws Exception {
        var place = host.place().network(project("again")).create();
        place.stop(SIGTERM, Duration.ofSeconds(1));
        assertThat(place.address()).isEmpty();
        assertThat(place.start()).isEmpty();
        assertThat(enter(place, World.probe(), "talk", "to", "tcp", world.there.getHostAddress(), "" + world.port))
                .isEqualTo(world.here.getHostAddress());
        assertThat(host.sh(place, "cat /etc/hosts").stdout())
                .contains(place.address().orElseThrow().getHostAddress());
        place.remove();
    }

    @Test
    void manyAtOnceHaveAddressesOfTheirOwn() throws Exception {
        var addresses = new TreeSet<String>();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Callable<String> job = () -> {
                var result = host.request("sh", "-c", "tail -n 1 /etc/hosts; sleep 1")
                        .network(Bridge.PLAIN)
                        .run();
                assertThat(result.exitCode()).as(result.stderr()).isZero();
                return result.stdout();
            };
            for (var line : threads.invokeAll(Collections.nCopies(IN_PARALLEL, job))) {
                addresses.add(line.get().split(" ", 2)[0]);
            }
        }
        assertThat(addresses).hasSize(IN_PARALLEL);
    }

    @Test
    void besideAnotherBobbinEachHasAddressesOfItsOwn() throws Exception {
        var place = host.place().network(Bridge.PLAIN).create();
        try (var other = open(1)) {
            var stranger = other.place().network(Bridge.PLAIN).create();
            var part = Cidr.around(place.address().orElseThrow(), NetworkConfig.PART_PREFIX);
            assertThat(part.contains(stranger.address().orElseThrow())).isFalse();
            assertThat(enter(
                            place,
                            World.probe(),
                            "talk",
                            "to",
                            "udp",
                            stranger.address().orElseThrow().getHostAddress(),
                            "7000"))
                    .isIn(REFUSED);
        }
        assertThat(enter(place, World.probe(), "talk", "to", "tcp", world.there.getHostAddress(), "" + world.port))
                .isEqualTo(world.here.getHostAddress());
        place.remove();
    }

    @Test
    void writesItsRulesAnewIfSomebodyRemovesThem() throws Exception {
        var place = host.place()
                .network(egress(new Egress(false, List.of(), List.of())))
                .create();
        try (var filter = Nftables.open()) {
            filter.run("delete table inet " + Networks.present(host.runDir()).getFirst());
        }
        var answer = "";
        for (var tries = 0; tries < 100 && !REFUSED.contains(answer); tries++) {
            answer = enter(place, World.probe(), "talk", "to", "tcp", world.there.getHostAddress(), "" + world.port);
            TimeUnit.MILLISECONDS.sleep(100);
        }
        assertThat(answer).isIn(REFUSED);
        place.remove();
    }

    @Test
    void jobsHaveTheNetworkOfTheMachineOnlyIfTheConfigurationSaysSo() throws Exception {
        assertThat(host.request("true").network(new Network.Host()).refusal().reason())
                .isEqualTo(Refusal.Reason.FORBIDDEN);
        var config = new NetworkConfig(true, Cidr.of("10.128.0.0/10"), List.of(), List.of());
        try (var open = open(1, config)) {
            var machine = Files.readSymbolicLink(Path.of("/proc/self/ns/net")).toString();
            var low = Files.readString(Path.of("/proc/sys/net/ipv4/ip_unprivileged_port_start"));
            var job = open.request("sh", "-c", "readlink /proc/self/ns/net; ip link add x type bridge")
                    .network(new Network.Host())
                    .run();
            assertThat(job.stdout()).isEqualTo(machine + "\n");
            assertThat(job.exitCode()).isNotZero();
            assertThat(open.sh("readlink /proc/self/ns/net").stdout()).isNotEqualTo(machine + "\n");
            assertThat(Files.readString(Path.of("/proc/sys/net/ipv4/ip_unprivileged_port_start")))
                    .isEqualTo(low);
            var place = open.place().network(new Network.Host()).create();
            assertThat(place.sample().orElseThrow().network().inBytes()).isNegative();
        }
    }
}
