package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.Cidr;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.Network.Bridge;
import dev.bobbin.runner.Network.Egress;
import dev.bobbin.runner.Network.PublishedPort;
import dev.bobbin.runner.net.NetworkConfig;
import java.net.Inet4Address;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/// Sandboxes on a bridge, in a world that is another network namespace.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
abstract class BridgeTests {
    static final int SIGTERM = 15;
    static final List<String> REFUSED = List.of("EHOSTUNREACH", "ECONNREFUSED", "ENETUNREACH", "EACCES");

    World world;
    TestHost host;

    @BeforeAll
    final void open() throws Exception {
        world = new World();
        host = open(0);
    }

    @AfterAll
    final void close() throws Exception {
        host.close();
        world.close();
    }

    /// A host that keeps `pool` sandboxes parked, in this world.
    TestHost open(int pool) throws Exception {
        var opened = new Cidr(world.hidden.get(1), 32);
        return open(pool, new NetworkConfig(false, Cidr.of("10.128.0.0/10"), List.of(opened), List.of()));
    }

    static TestHost open(int pool, NetworkConfig network) throws Exception {
        return TestHost.open(pool, Files.createTempDirectory("bobbin-bridge"), true, network);
    }

    static Bridge egress(Egress egress) {
        return new Bridge(null, List.of(), List.of(), egress);
    }

    static Bridge project(String name, String... aliases) {
        return new Bridge(name, List.of(aliases), List.of(), Egress.INTERNET);
    }

    static Bridge published(PublishedPort... ports) {
        return new Bridge(null, List.of(), List.of(ports), Egress.INTERNET);
    }

    /// What a job with this network gets from `address`, by TCP and by UDP.
    List<String> ask(Network network, String address, int port) throws Exception {
        var asked = host.request(
                        "sh", "-c", "for p in tcp udp; do ./probe talk to $p " + address + " " + port + "; done")
                .workdir("/w")
                .probe()
                .network(network)
                .run();
        assertThat(asked.exitCode()).as(asked.stderr() + asked.ending()).isZero();
        return asked.stdout().lines().toList();
    }

    void reaches(Network network, Inet4Address address) throws Exception {
        var here = world.here.getHostAddress();
        assertThat(ask(network, address.getHostAddress(), world.port)).containsExactly(here, here);
    }

    void isKeptFrom(Network network, Inet4Address address) throws Exception {
        assertThat(World.ask("tcp", address.getHostAddress(), world.port))
                .as("this machine is not kept from it")
                .matches("[0-9.]+");
        assertThat(ask(network, address.getHostAddress(), world.port))
                .as("%s", address)
                .allMatch(answer -> REFUSED.contains(answer));
    }

    /// As root of this machine in its network, who can do there what a job cannot.
    static String enter(LastingSandbox place, String... command) throws Exception {
        var all = new ArrayList<>(
                List.of("nsenter", "-n", "-t", String.valueOf(place.pid().orElseThrow())));
        all.addAll(List.of(command));
        return World.host(all.toArray(String[]::new));
    }

    String sentFrom(LastingSandbox place, String address) throws Exception {
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
}
