package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Network namespaces of jobs without a network: an untouched one serves again, a used one never.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(60)
class NetworkIT {
    private static final int JOBS = 6;
    /// All that a job can see of what others did in its namespace.
    private static final String LOOK = "cd /proc/net; head -n 1 sockstat; cat sockstat6 dev snmp netstat snmp6 unix"
            + " ip6_flowlabel tcp udp tcp6 udp6 raw icmp igmp igmp6 route if_inet6 arp";

    private TestHost host;

    @BeforeAll
    void open() throws Exception {
        host = TestHost.open(0);
    }

    @AfterAll
    void close() throws Exception {
        host.close();
    }

    @Test
    void servesAgainIfNoJobUsedIt() throws Exception {
        var namespaces = new ArrayList<String>();
        for (var job = 0; job < JOBS; job++) {
            namespaces.add(host.sh("readlink /proc/self/ns/net").stdout());
        }
        // the first two may overlap in dying and starting
        assertThat(new HashSet<>(namespaces)).hasSizeLessThan(JOBS - 2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"udp", "tcp", "noroute", "flight"})
    void isNeverSeenByAnotherJobOnceItWasUsed(String traffic) throws Exception {
        var untouched = host.sh(LOOK).stdout();
        for (var job = 0; job < 2; job++) {
            var used = host.request("./probe", "traffic", traffic)
                    .workdir("/w")
                    .probe()
                    .run();
            assertThat(used.exitCode()).as(used.stderr()).isZero();
            for (var next = 0; next < 2; next++) {
                assertThat(host.sh(LOOK).stdout()).isEqualTo(untouched);
            }
        }
    }

    @Test
    void hasALoopbackInterfaceLowPortsAndPing() throws Exception {
        var result =
                host.request("./probe", "traffic", "tcp").workdir("/w").probe().run();
        assertThat(result.exitCode()).as(result.stderr()).isZero();
        assertThat(host.sh("cat /proc/sys/net/ipv4/ip_unprivileged_port_start").stdout())
                .isEqualTo("0\n");
        assertThat(host.sh("cat /proc/sys/net/ipv4/ping_group_range").stdout()).isEqualTo("0\t65535\n");
    }
}
