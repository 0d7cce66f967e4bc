package dev.bobbin.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.net.dns.Dnsmasq;
import dev.bobbin.runner.net.dns.FakeInternet;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Networks as a person asks for them, against a real server that is killed once, with an internet beside this machine.
@Timeout(120)
final class NetworkCommandsIT extends TypedCommands {
    private static final String SERVING =
            "mkdir -p /w && echo hello > /w/index.html && exec busybox httpd -f -p 80 -h /w";

    private FakeInternet internet = unset();
    private Dnsmasq names = unset();

    @SuppressWarnings({"NullAway", "TypeParameterUnusedInFormals"}) // set before any test
    private static <T> T unset() {
        return null;
    }

    @BeforeEach
    void open() throws Exception {
        internet = FakeInternet.open(Files.createDirectory(directory.resolve("web")));
        names = Dnsmasq.start(directory, List.of(internet.one().getHostAddress() + " www.example.org"));
        Files.writeString(
                directory.resolve("bobbin.yaml"),
                "host: {network: {dns: [\"127.0.0.1:" + names.address().getPort() + "\"]}}\n");
        startServer();
    }

    private void startServer() throws IOException {
        serve("--config", directory.resolve("bobbin.yaml").toString());
    }

    @AfterEach
    void close() throws Exception {
        removeSandboxes();
        end();
        names.close();
        internet.close();
    }

    private String fetched(String address) throws Exception {
        return shell("curl -sS -m 5 --retry 20 --retry-connrefused --retry-delay 1 http://" + address + "/")
                .out();
    }

    @Test
    void publishesPortsAndFindsNeighboursByNameAlsoAfterTheServerWasKilled() throws Exception {
        var made = bobbin(
                "create",
                "--name",
                "web",
                "-p",
                "80",
                "--project",
                "shop",
                "--network-alias",
                "www",
                "--",
                "sh",
                "-c",
                SERVING);
        assertThat(made.code()).as(made.err()).isZero();
        var port = bobbin("port", "web");
        assertThat(port.out()).matches("80/tcp -> 127\\.0\\.0\\.1:[0-9]+\n");
        var address = bobbin("port", "web", "80").out().strip();
        assertThat(port.out()).isEqualTo("80/tcp -> " + address + "\n");
        assertThat(bobbin("port", "web", "80/udp"))
                .extracting(Result::code, Result::err)
                .containsExactly(1, "bobbin: port: 80/udp of \"web\" is not published\n");
        assertThat(bobbin("port", "nobody").code()).isEqualTo(1);
        assertThat(bobbin("ps").out()).contains("80/tcp -> " + address);
        assertThat(bobbin("inspect", "web").out()).contains("\"project\":\"shop\",\"aliases\":[\"www\"]");
        assertThat(fetched(address)).isEqualTo("hello\n");
        assertThat(bobbin("run", "--project", "shop", "--", "curl", "-sS", "http://www/")
                        .out())
                .isEqualTo("hello\n");
        bobbin("create", "--name", "client", "--project", "shop");

        started.getFirst().destroyForcibly().waitFor();
        assertThat(fetched(address)).isEqualTo("hello\n");
        startServer();

        assertThat(bobbin("port", "web", "80").out().strip()).isEqualTo(address);
        assertThat(bobbin("exec", "client", "curl", "-sS", "-m", "5", "http://web/")
                        .out())
                .isEqualTo("hello\n");
        assertThat(bobbin("exec", "client", "curl", "-sS", "-m", "5", "http://www.example.org/")
                        .out())
                .isEqualTo("the internet\n");
    }

    @Test
    void runsReachWhatTheyAreAllowedTo() throws Exception {
        var one = internet.one().getHostAddress();
        assertThat(bobbin("run", "--network", "bridge", "--", "curl", "-sS", "http://" + one + "/")
                        .out())
                .isEqualTo("the internet\n");
        assertThat(bobbin("run", "--", "curl", "-sS", "http://" + one + "/").code())
                .isEqualTo(7);
        assertThat(bobbin("run", "--egress-allow", "*.example.org", "--", "curl", "-sS", "http://www.example.org/")
                        .out())
                .isEqualTo("the internet\n");
        assertThat(bobbin("run", "--egress-allow", "none", "--", "curl", "-sS", "-m", "3", "http://" + one + "/")
                        .code())
                .isIn(7, 28);
        assertThat(bobbin("run", "--egress-allow", one, "--", "curl", "-sS", "-m", "3", "http://" + one + "/")
                        .out())
                .isEqualTo("the internet\n");
        assertThat(bobbin("run", "--network", "host", "--", "true"))
                .extracting(Result::code, Result::out)
                .containsExactly(125, "");
    }

    @Test
    void refusesPortsThatAreNone() throws Exception {
        for (var wrong : List.of("[::1]:80:80", "80-90:80-90", "80:", "a:b", "1.2.3.4:5:6:7", "80/sctp")) {
            assertThat(bobbin("run", "-p", wrong, "--", "true")).satisfies(result -> {
                assertThat(result.code()).isEqualTo(125);
                assertThat(result.err()).contains(wrong);
            });
        }
        assertThat(bobbin("run", "-p", "[::1]:80:80", "--", "true").err()).contains("only those of IPv4");
        assertThat(bobbin("run", "-p", "70000", "--", "true").err()).contains("ports[0].port");
        assertThat(bobbin("run", "--network", "none", "-p", "80", "--", "true").err())
                .contains("bridge");
        assertThat(bobbin("run", "--network", "lan", "--", "true").err()).contains("\"none\", \"bridge\" or \"host\"");
        assertThat(bobbin("run", "--egress-allow", "1.2.3.4/8", "--", "true").err())
                .contains("network.egress.allow[0]");
        assertThat(bobbin("run", "--egress-allow", "not a name", "--", "true").err())
                .contains("network.egress.names[0]");
    }
}
