package dev.bobbin.runner.net;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.Cidr;
import dev.bobbin.runner.kernel.Nftables;
import java.net.Inet4Address;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What is granted, in a table of the kernel's that concerns nobody.
class GrantsIT {
    private static final Cidr NOBODYS = Cidr.of("240.0.0.0/18");
    private static final Inet4Address SANDBOX = NOBODYS.address(7);
    private static final Inet4Address OUTSIDE = Inet4Address.ofLiteral("203.0.113.1");

    private final String table =
            String.format("bobt%08x", ThreadLocalRandom.current().nextInt());
    private final Rules rules = new Rules(table, NOBODYS, NOBODYS.address(1));
    private final Nftables filter = Nftables.open();

    @BeforeEach
    void make() {
        filter.run(rules.whole(List.of(), List.of()));
    }

    @AfterEach
    void remove() {
        filter.run("delete table inet " + table);
        filter.close();
    }

    private String listed() {
        return filter.run("list set inet " + table + " granted");
    }

    private Grants opened(Duration time) {
        var grants = new Grants();
        grants.open(SANDBOX, List.of(OUTSIDE), time, rules, filter::run);
        return grants;
    }

    @Test
    void isRenewedByAServerThatDoesNotKnowOfIt() {
        opened(Duration.ofMinutes(1));
        opened(Duration.ofHours(1));
        assertThat(listed()).contains("timeout 1h1m10s");
    }

    @Test
    void isKnownToTheNextServerAndStaysInRulesWrittenAnew() {
        opened(Duration.ofHours(1));
        var next = new Grants();
        next.note(listed(), SANDBOX::equals);
        assertThat(next.elements()).singleElement().asString().matches("240.0.0.7 . 203.0.113.1 timeout 36[67][0-9]s");
        filter.run(rules.whole(List.of(), next.elements()));
        assertThat(listed()).contains("240.0.0.7 . 203.0.113.1 timeout 1h1m");
    }

    @Test
    void endsWhetherTheKernelStillHasItOrNot() {
        var grants = opened(Duration.ofMinutes(1));
        var open = List.copyOf(grants.forget(SANDBOX));
        assertThat(open).containsExactly(OUTSIDE);
        for (var time = 0; time < 2; time++) {
            filter.run(rules.revoked(SANDBOX, open));
            assertThat(listed()).doesNotContain("203.0.113.1");
        }
    }
}
