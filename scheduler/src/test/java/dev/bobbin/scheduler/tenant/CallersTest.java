package dev.bobbin.scheduler.tenant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class CallersTest {
    private static final Tenant BLUE = new Tenant("blue");

    @Test
    void knowsACallerByTheSecretOfItsToken() {
        var callers = new Callers(List.of(
                Token.of("one", "first", Tenant.DEFAULT, Set.of(Scope.READ)),
                Token.of("two", "second", BLUE, Set.of(Scope.RUN))));
        assertThat(callers.bearing("second")).contains(new Caller(BLUE, Set.of(Scope.RUN)));
        assertThat(callers.bearing("third")).isEmpty();
        assertThat(callers.needToken()).isTrue();
        assertThat(Callers.anybody().needToken()).isFalse();
    }

    @Test
    void knowsATokenByItsDigestAlone() {
        var sha256OfAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        var callers = new Callers(List.of(Token.hashed("abc", sha256OfAbc, BLUE, Set.of(Scope.READ))));
        assertThat(callers.bearing("abc")).map(Caller::tenant).contains(BLUE);
    }

    @Test
    void neverShowsASecret() {
        var token = Token.of("ci", "s3cret", Tenant.DEFAULT, Set.of(Scope.RUN));
        assertThat(token.toString()).contains("ci").doesNotContain("s3cret");
    }

    @Test
    void hidesForeignThingsFromEverybodyButTheAdministrator() {
        var caller = new Caller(BLUE, Set.of(Scope.READ, Scope.RUN));
        assertThat(caller.sees("blue")).isTrue();
        assertThat(caller.sees("default")).isFalse();
        assertThat(Caller.LOCAL.sees("blue")).isTrue();
        assertThat(new Caller(BLUE, Set.of(Scope.READ)).may(Scope.RUN)).isFalse();
    }

    @Test
    void refusesNamesThatCouldNotStandInAPath() {
        assertThatThrownBy(() -> new Tenant("a/b")).hasMessageStartingWith("tenant:");
        assertThatThrownBy(() -> new Tenant("-a")).hasMessageStartingWith("tenant:");
    }
}
