package dev.bobbin.runner.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.runner.Cidr;
import dev.bobbin.runner.kernel.KernelException;
import java.net.Inet4Address;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class GrantsTest {
    private static final Inet4Address ONE = ip("10.128.0.7");
    private static final Inet4Address OTHER = ip("10.128.0.8");
    private static final Cidr OUTSIDE = Cidr.of("203.0.113.0/24");
    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final Grants grants = new Grants();
    private final Rules rules = new Rules("bobtest", Cidr.of("10.128.0.0/18"), ip("10.128.0.1"));
    private final List<String> commands = new ArrayList<>();

    private void open(Inet4Address sandbox, Collection<Inet4Address> addresses, Duration time) {
        grants.open(sandbox, addresses, time, rules, commands::add);
    }

    @Test
    void opensNoMoreThanItsShareToASandboxAndStillOpensToOthers() {
        var range = Cidr.of("198.51.0.0/16");
        open(ONE, IntStream.range(0, Grants.MOST_EACH).mapToObj(range::address).toList(), MINUTE);
        commands.clear();
        assertThatThrownBy(() -> open(ONE, List.of(OUTSIDE.address(1)), MINUTE)).isInstanceOf(KernelException.class);
        assertThat(commands).isEmpty();
        open(ONE, List.of(range.address(5)), MINUTE.multipliedBy(10));
        open(OTHER, List.of(OUTSIDE.address(1)), MINUTE);
        assertThat(commands).hasSize(2);
        grants.forget(ONE);
        open(ONE, List.of(OUTSIDE.address(1)), MINUTE);
        assertThat(commands).hasSize(3);
    }

    @Test
    void changesTheRulesOnceForWhoAsksAgainAndAgain() {
        for (var question = 0; question < 100; question++) {
            open(ONE, List.of(OUTSIDE.address(1), OUTSIDE.address(2)), MINUTE);
        }
        assertThat(commands).hasSize(1);
        open(ONE, List.of(OUTSIDE.address(1), OUTSIDE.address(2)), Duration.ofHours(1));
        assertThat(commands).hasSize(2);
    }

    @Test
    void notesWhatTheKernelHasOfThoseThatLive() {
        grants.note("""
                table inet bobtest {
                	set granted {
                		type ipv4_addr . ipv4_addr
                		flags timeout
                		elements = { 10.128.0.7 . 203.0.113.1 timeout 1h10s expires 59m20s500ms,
                			     10.128.0.8 . 203.0.113.2 timeout 2m10s expires 1m30s,
                			     10.128.0.7 . 203.0.113.3 timeout 1m10s expires 9s999ms }
                	}
                }
                """, ONE::equals);
        assertThat(grants.elements()).singleElement().asString().matches("10.128.0.7 . 203.0.113.1 timeout 35(60|59)s");
        open(ONE, List.of(OUTSIDE.address(1)), MINUTE);
        assertThat(commands).isEmpty();
        assertThat(grants.forget(ONE)).containsExactly(OUTSIDE.address(1));
        assertThat(grants.elements()).isEmpty();
    }

    private static Inet4Address ip(String text) {
        return Inet4Address.ofLiteral(text);
    }
}
