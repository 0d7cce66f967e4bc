package dev.bobbin.runner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.runner.Network.Bridge;
import dev.bobbin.runner.Network.Egress;
import dev.bobbin.runner.Network.Protocol;
import dev.bobbin.runner.Network.PublishedPort;
import java.net.Inet4Address;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class NetworkTest {
    @Test
    void saysWhichFieldIsWrong() {
        refuses("network.project:", () -> new Bridge("a b", List.of(), List.of(), Egress.INTERNET));
        refuses("network.aliases:", () -> new Bridge(null, List.of("db"), List.of(), Egress.INTERNET));
        refuses("network.aliases[1]:", () -> new Bridge("p", List.of("db", "-"), List.of(), Egress.INTERNET));
        refuses("network.ports.port:", () -> new PublishedPort(Protocol.TCP, PublishedPort.LOOPBACK, 0, 0));
        refuses("network.ports.host_port:", () -> new PublishedPort(Protocol.TCP, PublishedPort.LOOPBACK, 65536, 1));
        var port = new PublishedPort(Protocol.TCP, PublishedPort.LOOPBACK, 80, 80);
        refuses("network.ports[1].host_port:", () -> new Bridge(null, List.of(), List.of(port, port), Egress.INTERNET));
        refuses("network.egress.names[0]:", () -> new Egress(true, List.of(), List.of("10.0.0.1")));
        refuses("network.egress.names[0]:", () -> new Egress(true, List.of(), List.of("a.*.org")));
    }

    private static void refuses(String start, ThrowingCallable making) {
        assertThatThrownBy(making).isInstanceOf(IllegalArgumentException.class).hasMessageStartingWith(start);
    }

    @Test
    void allowsNamesAsTheyAreWritten() {
        var egress = new Egress(true, List.of(), List.of("Example.org", "*.example.net"));
        assertThat(egress.open()).isFalse();
        assertThat(egress.allows("EXAMPLE.ORG")).isTrue();
        assertThat(egress.allows("www.example.org")).isFalse();
        assertThat(egress.allows("www.example.net")).isTrue();
        assertThat(egress.allows("a.b.example.net")).isTrue();
        assertThat(egress.allows("example.net")).isFalse();
        assertThat(egress.allows("evilexample.net")).isFalse();
        assertThat(egress.allows(".example.net")).isFalse();
    }

    @Test
    void rangesBeginWithTheirFirstAddress() {
        assertThat(Cidr.parse("10.0.0.1/8")).isEmpty();
        assertThat(Cidr.parse("10.0.0.0/33")).isEmpty();
        assertThat(Cidr.parse("10.0.0.256")).isEmpty();
        assertThat(Cidr.parse("::1")).isEmpty();
        assertThat(Cidr.of("192.0.2.7")).hasToString("192.0.2.7/32");
        assertThat(Cidr.of("0.0.0.0/0").contains(Cidr.of("224.0.0.0/3"))).isTrue();
    }

    @Test
    void countsAddressesOfARange() {
        var range = Cidr.of("10.128.0.0/10");
        assertThat(range.part(18, 255)).isEqualTo(Cidr.of("10.191.192.0/18"));
        assertThat(range.address(259)).isEqualTo(Inet4Address.ofLiteral("10.128.1.3"));
        assertThat(range.indexOf(Inet4Address.ofLiteral("10.128.1.3"))).isEqualTo(259);
        assertThat(range.meets(Cidr.of("10.0.0.0/8"))).isTrue();
        assertThat(range.meets(Cidr.of("10.0.0.0/10"))).isFalse();
    }
}
