package dev.bobbin.runner.net.dns;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.Cidr;
import dev.bobbin.runner.net.dns.Allowances.Turn;
import org.junit.jupiter.api.Test;

class AllowancesTest {
    private static final Cidr SANDBOXES = Cidr.of("10.128.0.0/18");

    @Test
    void answersAFewQuestionsOfOneThoughOthersHaveAllPlaces() {
        var allowances = new Allowances();
        for (var index = 0; index < Allowances.AT_ONCE; index++) {
            assertThat(allowances.take(SANDBOXES.address(index / Allowances.AT_ONCE_EACH)))
                    .isEqualTo(Turn.TAKEN);
        }
        assertThat(allowances.take(SANDBOXES.address(0))).isEqualTo(Turn.BUSY);
        var late = SANDBOXES.address(1000);
        for (var question = 0; question < Allowances.AT_ONCE_ALWAYS; question++) {
            assertThat(allowances.take(late)).isEqualTo(Turn.TAKEN);
        }
        assertThat(allowances.take(late)).isEqualTo(Turn.BUSY);
        allowances.done(late);
        assertThat(allowances.take(late)).isEqualTo(Turn.TAKEN);
    }
}
