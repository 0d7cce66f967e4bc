package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.Cidr;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.Network.Bridge;
import dev.bobbin.runner.Network.Egress;
import dev.bobbin.runner.Network.Protocol;
import dev.bobbin.runner.Network.PublishedPort;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.kernel.Nftables;
import dev.bobbin.runner.net.NetworkConfig;
import dev.bobbin.runner.net.Networks;
import java.net.Inet4Address;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/// Sandboxes on a bridge, in a world that is another network namespace.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
class BridgeIT {
    private static final int SIGTERM = 15;
    private static final int IN_PARALLEL = 16;
    private static final List<String> REFUSED = List.of("EHOSTUNREACH", "ECONNREFUSED", "ENETUNREACH", "EACCES");

    private World world;
    private TestHost host;

    @BeforeAll
    void open() throws Exception {
        world = new World();
        host = open(0);
    }

    private TestHost open(int pool) throws Exception {
        var opened = new Cidr(world.hidden.get(1), 32);
        return TestHost.open(
                pool,
                Files.createTempDirectory("bobbin-bridge"),
                true,
                new NetworkConfig(false, Cidr.of("10.128.0.0/10"), List.of(opened), List.of()));
    }

    @AfterAll
    void close() throws Exception {
        host.close();
        world.close();
    }

    private static Bridge egress(Egress egress) {
        return new Bridge(null, List.of(), List.of(), egress);
    }

    private static Bridge project(String name, String... aliases) {
        return new Bridge(name, List.of(aliases), List.of(), Egress.INTERNET);
    }

    private static Bridge published(PublishedPort... ports) {
        return new Bridge(null, List.of(), List.of(ports), Egress.INTERNET);
    }

    /// What a job with this network gets from `address`, by TCP and by UDP.
    private List<String> ask(Network network, String address, int port) throws Exception {
        var asked = host.request(
                        "sh", "-c", "for p in tcp udp; do ./probe talk to $p " + address + " " + port + "; done")
                .workdir("/w")
                .probe()
                .network(network)
                .run();
        assertThat(asked.exitCode()).as(asked.stderr() + asked.ending()).isZero();
        return asked.stdout().lines().toList();
    }

    private void reaches(Network network, Inet4Address address) throws Exception {
        var here = world.here.getHostAddress();
        assertThat(ask(network, address.getHostAddress(), world.port)).containsExactly(here, here);
    }

    private void isKeptFrom(Network network, Inet4Address address) throws Exception {
        assertThat(World.ask("tcp", address.getHostAddress(), world.port))
                .as("this machine is not kept from it")
                .matches("[0-9.]+");
        assertThat(ask(network, address.getHostAddress(), world.port))
                .as("%s", address)
                .allMatch(answer -> REFUSED.contains(answer));
    }

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
    void publishesPortsToThisMachineAndToTheWorld() throws Exception {
        var network = published(
                new PublishedPort(Protocol.TCP, PublishedPort.LOOPBACK, 0, 7000),
                new PublishedPort(Protocol.UDP, PublishedPort.LOOPBACK, 0, 7000),
                new PublishedPort(Protocol.TCP, PublishedPort.EVERY, 0, 7000),
                new PublishedPort(Protocol.UDP, world.here, 0, 7000));
        var place = host.place("./probe", "talk", "serve", "7000")
                .workdir("/w")
                .probe()
                .network(network)
                .create();
        var ports = ((Bridge) place.network())
                .ports().stream().map(PublishedPort::hostPort).toList();
        assertThat(ports).doesNotContain(0);
        var gateway = Cidr.around(place.address().orElseThrow(), NetworkConfig.PART_PREFIX)
                .address(1)
                .getHostAddress();
        awaitAnswer("tcp", "127.0.0.1", ports.get(0));
        assertThat(World.ask("tcp", "127.0.0.1", ports.get(0))).isEqualTo(gateway);
        assertThat(World.ask("udp", "127.0.0.1", ports.get(1))).isEqualTo(gateway);
        assertThat(World.ask("tcp", "127.0.0.1", ports.get(2))).isEqualTo(gateway);
        assertThat(fromOutside("tcp", ports.get(2))).isEqualTo(world.there.getHostAddress());
        assertThat(fromOutside("udp", ports.get(3))).isEqualTo(world.there.getHostAddress());
        // of loopback only
        assertThat(fromOutside("tcp", ports.get(0))).isIn(REFUSED);
        assertThat(fromOutside("udp", ports.get(1))).isIn(REFUSED);
        place.remove();
        assertThat(World.ask("tcp", "127.0.0.1", ports.get(0))).isIn(REFUSED);
    }

    private String fromOutside(String protocol, int port) throws Exception {
        return world.inside(World.probe(), "talk", "to", protocol, world.here.getHostAddress(), String.valueOf(port));
    }

    private static void awaitAnswer(String protocol, String address, int port) throws Exception {
        for (var tries = 0; tries < 50 && REFUSED.contains(World.ask(protocol, address, port)); tries++) {
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    @Test
    void refusesAPortThatSomebodyHas() throws Exception {
        var taken = new PublishedPort(Protocol.TCP, PublishedPort.LOOPBACK, world.port, 80);
        var refusal = host.request("true").network(published(taken)).refusal();
        assertThat(refusal.reason()).isEqualTo(Refusal.Reason.PORT_TAKEN);
        assertThat(refusal.field()).isEqualTo("ports[0].host_port");
        var place = host.place()
                .network(published(new PublishedPort(Protocol.UDP, PublishedPort.EVERY, 0, 80)))
                .create();
        var chosen = ((Bridge) place.network()).ports().getFirst();
        assertThat(host.request("true").network(published(chosen)).refusal().reason())
                .isEqualTo(Refusal.Reason.PORT_TAKEN);
        place.stop(SIGTERM, Duration.ofSeconds(1));
        assertThat(host.request("true").network(published(chosen)).run().exitCode())
                .isZero();
        place.remove();
    }

    @Test
    void reachesItsProjectByNameAndNobodyElse() throws Exception {
        var server = host.place("./probe", "talk", "serve", "7000")
                .workdir("/w")
                .probe()
                .name("server-" + world.port)
                .network(project("shop", "db"))
                .create();
        var address = server.address().orElseThrow().getHostAddress();
        var first = ask(project("shop"), address, 7000);
        assertThat(first).allMatch(answer -> answer.startsWith("10.")).doesNotContain(address);
        assertThat(ask(Bridge.PLAIN, address, 7000)).allMatch(REFUSED::contains);
        assertThat(ask(project("other"), address, 7000)).allMatch(REFUSED::contains);
        assertThat(ask(project("shop"), address, 7000)).noneMatch(REFUSED::contains);
        for (var name : List.of("db", "server-" + world.port)) {
            assertThat(host.request("getent", "ahostsv4", name)
                            .network(project("shop"))
                            .run()
                            .stdout())
                    .contains(address);
            assertThat(host.request("getent", "ahostsv4", name)
                            .network(project("other"))
                            .run()
                            .stdout())
                    .isEmpty();
        }
        server.remove();
    }

    @Test
    void isFoundByItsNewNameOnceItIsRenamed() throws Exception {
        var before = "before-" + world.port;
        var after = "after-" + world.port;
        var place = host.place().name(before).network(project("renaming")).create();
        var client = host.place().network(project("renaming")).create();
        var address = place.address().orElseThrow().getHostAddress();
        assertThat(host.sh(client, "getent ahostsv4 " + before).stdout()).contains(address);
        assertThat(place.rename(after)).isEmpty();
        assertThat(host.sh(client, "getent ahostsv4 " + after).stdout()).contains(address);
        assertThat(host.sh(client, "getent ahostsv4 " + before).stdout()).isEmpty();
        place.remove();
        client.remove();
    }

    @Test
    void isFoundByTheLastNameThatItIsGivenWhileItStarts() throws Exception {
        var name = "hasty-" + world.port + "-";
        var place = host.place().name(name + "first").network(project("hasty")).create();
        var client = host.place().network(project("hasty")).create();
        for (var round = 0; round < 12; round++) {
            assertThat(place.stop(9, Duration.ZERO)).isEmpty();
            var names = name + round + "-";
            var pause = round;
            var renaming = Thread.ofVirtual().start(() -> {
                for (var count = 0; count < 20; count++) {
                    LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(100L * pause));
                    place.rename(names + count);
                }
            });
            assertThat(place.start()).isEmpty();
            renaming.join();
            assertThat(place.name()).contains(names + 19);
            assertThat(host.sh(client, "getent ahostsv4 " + names + 19).stdout())
                    .contains(place.address().orElseThrow().getHostAddress());
        }
        place.remove();
        client.remove();
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
    void isFoundBelowTheNameOfItsProjectHoweverThatIsWritten() throws Exception {
        var server = host.place().network(project("Capital", "db")).create();
        for (var name : List.of("db.capital", "db.Capital")) {
            assertThat(host.request("getent", "ahostsv4", name)
                            .network(project("Capital"))
                            .run()
                            .stdout())
                    .contains(server.address().orElseThrow().getHostAddress());
        }
        server.remove();
    }

    @Test
    void isNoMemberOfAProjectBecauseOthersMarkPackets() throws Exception {
        try (var alone = TestHost.open(0, Files.createTempDirectory("bobbin-bridge"), true, NetworkConfig.STANDARD);
                var filter = Nftables.open()) {
            var server = alone.place("./probe", "talk", "serve", "7000")
                    .workdir("/w")
                    .probe()
                    .network(project("shop"))
                    .create();
            var ask = "cd /w; ./probe talk to tcp "
                    + server.address().orElseThrow().getHostAddress() + " 7000";
            var friend =
                    alone.place().workdir("/w").probe().network(project("shop")).create();
            var answer = "ECONNREFUSED";
            for (var tries = 0; tries < 100 && answer.equals("ECONNREFUSED"); tries++) {
                answer = alone.sh(friend, ask).stdout().strip();
            }
            assertThat(answer).startsWith("10.");
            var client =
                    alone.place().workdir("/w").probe().network(Bridge.PLAIN).create();
            var bridge = Networks.present(alone.runDir()).getFirst();
            var marks = "inet marks-" + bridge;
            filter.run("""
                    table %s {
                      chain marks {
                        type filter hook prerouting priority mangle
                        iifname "%s-*" meta mark set 1
                      }
                    }
                    """.formatted(marks, bridge));
            try {
                assertThat(alone.sh(client, ask).stdout().strip()).isIn(REFUSED);
            } finally {
                filter.run("delete table " + marks);
            }
        }
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
        for (var forged : List.of(other, free, world.here.getHostAddress(), "8.8.8.8")) {
            var before = world.datagrams();
            enter(place, "ip", "address", "add", forged + "/32", "dev", "eth0");
            assertThat(sentFrom(place, forged)).as(forged).isEqualTo("silence");
            assertThat(world.datagrams()).as(forged).isEqualTo(before);
        }
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

    /// As root of this machine in its network, who can do there what a job cannot.
    private static String enter(LastingSandbox place, String... command) throws Exception {
        var all = new ArrayList<>(
                List.of("nsenter", "-n", "-t", String.valueOf(place.pid().orElseThrow())));
        all.addAll(List.of(command));
        return World.host(all.toArray(String[]::new));
    }

    private String sentFrom(LastingSandbox place, String address) throws Exception {
        return enter(
                place,
                World.probe(),
                "talk",
                "to",
                "udp",
                world.there.getHostAddress(),
                String.valueOf(world.port),
                address);
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
    void reachesWhatAnAllowedNameResolvesToOnceItHasAsked() throws Exception {
        try (var names = new FakeNames(world.there, world.hidden.getFirst());
                var named = openWithNames(names)) {
            var network = egress(new Egress(true, List.of(), List.of("good.test", "evil.test")));
            var place = named.place().workdir("/w").probe().network(network).create();
            var there = world.there.getHostAddress();
            var ask = "./probe talk to tcp " + there + " " + world.port;
            assertThat(named.sh(place, "cd /w; " + ask).stdout().strip()).isIn(REFUSED);
            assertThat(named.sh(place, "getent ahostsv4 other.test").exitCode()).isNotZero();
            assertThat(named.sh(place, "getent ahostsv4 evil.test").exitCode())
                    .as("leads to an address of metadata")
                    .isNotZero();
            assertThat(named.sh(place, "cd /w; " + ask).stdout().strip()).isIn(REFUSED);
            assertThat(named.sh(place, "getent ahostsv4 good.test | head -n 1; cd /w; " + ask)
                            .stdout())
                    .startsWith(there)
                    .endsWith(world.here.getHostAddress() + "\n");
            var hidden = world.hidden.getFirst().getHostAddress();
            assertThat(named.sh(place, "cd /w; ./probe talk to tcp " + hidden + " " + world.port)
                            .stdout()
                            .strip())
                    .isIn(REFUSED);
            // what was granted outlives the server
            named.restart();
            var again = named.runtime().sandboxes().find(place.id()).orElseThrow();
            assertThat(named.sh(again, "cd /w; " + ask).stdout()).isEqualTo(world.here.getHostAddress() + "\n");
            assertThat(named.sh(again, "getent ahostsv4 good.test; cd /w; " + ask)
                            .stdout())
                    .startsWith(there)
                    .endsWith(world.here.getHostAddress() + "\n");
            again.remove();
        }
    }

    private static TestHost openWithNames(FakeNames names) throws Exception {
        return TestHost.open(
                0,
                Files.createTempDirectory("bobbin-bridge"),
                true,
                new NetworkConfig(false, Cidr.of("10.128.0.0/10"), List.of(), List.of(names.address())));
    }

    @Test
    void outlivesTheServer() throws Exception {
        var root = Files.createTempDirectory("bobbin-bridge");
        var port = Integer.parseInt(ServerDeathIT.dies(root, "bridge"));
        assertThat(World.ask("tcp", "127.0.0.1", port)).startsWith("10.");
        try (var next = TestHost.open(0, root, true, NetworkConfig.STANDARD)) {
            assertThat(World.ask("tcp", "127.0.0.1", port)).startsWith("10.");
            var server = next.runtime().sandboxes().find("default", "server").orElseThrow();
            assertThat(((Bridge) server.network()).ports().getFirst().hostPort())
                    .isEqualTo(port);
            var taken = new PublishedPort(Protocol.TCP, PublishedPort.LOOPBACK, port, 80);
            assertThat(next.request("true").network(published(taken)).refusal().reason())
                    .isEqualTo(Refusal.Reason.PORT_TAKEN);
            var client = next.place().network(project("shop")).create();
            assertThat(client.address()).isNotEqualTo(server.address());
            assertThat(next.sh(client, "getent ahostsv4 db").stdout())
                    .contains(server.address().orElseThrow().getHostAddress());
            assertThat(enter(
                            client,
                            World.probe(),
                            "talk",
                            "to",
                            "tcp",
                            server.address().orElseThrow().getHostAddress(),
                            "7000"))
                    .isEqualTo(client.address().orElseThrow().getHostAddress());
            server.remove();
            assertThat(World.ask("tcp", "127.0.0.1", port)).isIn(REFUSED);
        }
    }

    @Test
    void reachesNobodyElseWhoListensForQuestionsAtTheGateway() throws Exception {
        var root = Files.createTempDirectory("bobbin-bridge");
        ServerDeathIT.dies(root, "bridge");
        var bridge =
                NetworkInterface.getByName(Networks.present(root.resolve("run")).getFirst());
        var gateway = bridge.inetAddresses()
                .filter(Inet4Address.class::isInstance)
                .findFirst()
                .orElseThrow();
        var stranger = new ServerSocket(53, 1, gateway);
        try (var next = TestHost.open(0, root, true, NetworkConfig.STANDARD)) {
            var client =
                    next.place().workdir("/w").probe().network(project("shop")).create();
            assertThat(next.sh(client, "cd /w; ./probe talk to tcp " + gateway.getHostAddress() + " 53")
                            .stdout()
                            .strip())
                    .isIn(REFUSED);
            stranger.close();
            var named = "";
            for (var tries = 0; tries < 100 && named.isEmpty(); tries++) {
                named = next.sh(client, "getent ahostsv4 db").stdout();
                TimeUnit.MILLISECONDS.sleep(100);
            }
            assertThat(named).startsWith("10.");
        } finally {
            stranger.close();
        }
    }

    @Test
    void leavesNothingIfItsServerDiesWhileSandboxesComeAndGo() throws Exception {
        var root = Files.createTempDirectory("bobbin-bridge");
        for (var death = 0; death < 3; death++) {
            ServerDeathIT.dies(root, "bridges");
        }
        try (var next = TestHost.open(0, root, true, NetworkConfig.STANDARD)) {
            assertThat(next.request("true").network(Bridge.PLAIN).run().exitCode())
                    .isZero();
        }
    }

    @Test
    void jobsHaveTheNetworkOfTheMachineOnlyIfTheConfigurationSaysSo() throws Exception {
        assertThat(host.request("true").network(new Network.Host()).refusal().reason())
                .isEqualTo(Refusal.Reason.FORBIDDEN);
        var config = new NetworkConfig(true, Cidr.of("10.128.0.0/10"), List.of(), List.of());
        try (var open = TestHost.open(1, Files.createTempDirectory("bobbin-bridge"), true, config)) {
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
