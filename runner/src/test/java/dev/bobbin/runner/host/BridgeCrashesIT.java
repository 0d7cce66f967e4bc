package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.Network.Bridge;
import dev.bobbin.runner.Network.Protocol;
import dev.bobbin.runner.Network.PublishedPort;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.net.NetworkConfig;
import dev.bobbin.runner.net.Networks;
import java.net.Inet4Address;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What is left of bridges whose server died.
@Timeout(120)
final class BridgeCrashesIT {
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
            assertThat(next.request("true")
                            .network(BridgeTests.published(taken))
                            .refusal()
                            .reason())
                    .isEqualTo(Refusal.Reason.PORT_TAKEN);
            var client = next.place().network(BridgeTests.project("shop")).create();
            assertThat(client.address()).isNotEqualTo(server.address());
            assertThat(next.sh(client, "getent ahostsv4 db").stdout())
                    .contains(server.address().orElseThrow().getHostAddress());
            assertThat(BridgeTests.enter(
                            client,
                            World.probe(),
                            "talk",
                            "to",
                            "tcp",
                            server.address().orElseThrow().getHostAddress(),
                            "7000"))
                    .isEqualTo(client.address().orElseThrow().getHostAddress());
            server.remove();
            assertThat(World.ask("tcp", "127.0.0.1", port)).isIn(BridgeTests.REFUSED);
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
            var client = next.place()
                    .workdir("/w")
                    .probe()
                    .network(BridgeTests.project("shop"))
                    .create();
            assertThat(next.sh(client, "cd /w; ./probe talk to tcp " + gateway.getHostAddress() + " 53")
                            .stdout()
                            .strip())
                    .isIn(BridgeTests.REFUSED);
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
}
