package dev.bobbin.image.registry.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Which addresses lie where. A wrong line here is a way inside.
final class AddressKindTest {
    @ParameterizedTest
    @CsvSource({
        "93.184.216.34, PUBLIC",
        "1.1.1.1, PUBLIC",
        "172.15.255.255, PUBLIC",
        "172.32.0.1, PUBLIC",
        "100.63.255.255, PUBLIC",
        "2606:4700:4700::1111, PUBLIC",
        "10.0.0.1, PRIVATE",
        "172.16.0.1, PRIVATE",
        "172.31.255.255, PRIVATE",
        "192.168.1.1, PRIVATE",
        "100.64.0.1, PRIVATE",
        "fd12:3456::1, PRIVATE",
        "fec0::1, PRIVATE",
        "127.0.0.1, LOOPBACK",
        "127.255.255.254, LOOPBACK",
        "::1, LOOPBACK",
        "::ffff:127.0.0.1, LOOPBACK",
        "169.254.169.254, LINK_LOCAL",
        "fe80::1, LINK_LOCAL",
        "fd00:ec2::254, LINK_LOCAL",
        "fd20:ce::254, LINK_LOCAL",
        "100.100.100.200, LINK_LOCAL",
        "168.63.129.16, LINK_LOCAL",
        "192.0.0.192, LINK_LOCAL",
        "::ffff:169.254.169.254, LINK_LOCAL",
        "64:ff9b::7f00:1, LOOPBACK",
        "64:ff9b::a9fe:a9fe, LINK_LOCAL",
        "64:ff9b::a00:1, PRIVATE",
        "64:ff9b::101:101, PUBLIC",
        "0.0.0.0, UNUSABLE",
        "0.1.2.3, UNUSABLE",
        "::, UNUSABLE",
        "::7f00:1, UNUSABLE",
        "224.0.0.1, UNUSABLE",
        "255.255.255.255, UNUSABLE",
        "240.0.0.1, UNUSABLE",
        "198.18.0.1, UNUSABLE",
        "ff02::1, UNUSABLE",
        "2002:7f00:1::, UNUSABLE",
        "2001:0:7f00:1::, UNUSABLE",
        "2001:db8::1, UNUSABLE"
    })
    void liesWhereItLies(String address, AddressKind kind) {
        assertThat(AddressKind.of(InetAddress.ofLiteral(address))).isEqualTo(kind);
    }

    @Test
    void reachesNoFurtherInsideThanAllowed() {
        var open = AddressPolicy.upTo(AddressKind.LOOPBACK, List.of()).named();
        var closed = AddressPolicy.upTo(AddressKind.PUBLIC, List.of()).named();

        assertThat(open.permits(InetAddress.ofLiteral("127.0.0.1"))).isTrue();
        assertThat(open.permits(InetAddress.ofLiteral("169.254.169.254"))).isFalse();
        assertThat(closed.permits(InetAddress.ofLiteral("127.0.0.1"))).isFalse();
        assertThat(closed.permits(InetAddress.ofLiteral("10.0.0.1"))).isFalse();
        assertThat(closed.from(InetAddress.ofLiteral("127.0.0.1")).permits(InetAddress.ofLiteral("127.0.0.1")))
                .isFalse();
        assertThat(open.machineOnly().permits(InetAddress.ofLiteral("1.1.1.1"))).isFalse();
        assertThat(closed.machineOnly().permits(InetAddress.ofLiteral("127.0.0.1")))
                .isFalse();
    }

    @Test
    void allowedNetworkIsOpenWhoeverNamesIt() {
        var policy = AddressPolicy.upTo(AddressKind.PUBLIC, List.of(Network.parse("10.1.0.0/16")));

        assertThat(policy.named().permits(InetAddress.ofLiteral("10.1.2.3"))).isTrue();
        assertThat(policy.named().permits(InetAddress.ofLiteral("10.2.2.3"))).isFalse();
        assertThat(policy.named().from(InetAddress.ofLiteral("1.1.1.1")).permits(InetAddress.ofLiteral("10.1.2.3")))
                .isTrue();
    }

    @Test
    void linkLocalIsNeverOpenAsAWhole() {
        assertThatThrownBy(() -> AddressPolicy.upTo(AddressKind.LINK_LOCAL, List.of()))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void readsNetworks() {
        assertThat(Network.parse("10.0.0.0/9").contains(InetAddress.ofLiteral("10.127.0.1")))
                .isTrue();
        assertThat(Network.parse("10.0.0.0/9").contains(InetAddress.ofLiteral("10.128.0.1")))
                .isFalse();
        assertThat(Network.parse("::1").contains(InetAddress.ofLiteral("::1"))).isTrue();
        for (var text : List.of("10.0.0.0/33", "10.0.0.0/-1", "example.test/8", "10.0.0.0/x", "")) {
            assertThatThrownBy(() -> Network.parse(text)).isInstanceOf(IllegalArgumentException.class);
        }
    }
}
