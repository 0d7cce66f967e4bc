package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.Cidr;
import dev.bobbin.runner.Network.Bridge;
import dev.bobbin.runner.Network.Protocol;
import dev.bobbin.runner.Network.PublishedPort;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.net.NetworkConfig;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// Ports of sandboxes on a bridge, as this machine and the world see them.
final class BridgePortsIT extends BridgeTests {
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
}
