package dev.bobbin.scheduler.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ListenTest {
    @Test
    void readsWhatPeopleWrite() {
        assertThat(Listen.parse("127.0.0.1:8080")).isEqualTo(new Listen.Tcp("127.0.0.1", 8080));
        assertThat(Listen.parse("[::1]:0")).isEqualTo(new Listen.Tcp("::1", 0)).hasToString("[::1]:0");
        assertThat(Listen.parse("unix:/run/x.sock")).isEqualTo(new Listen.Unix(Path.of("/run/x.sock")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "8080", ":8080", "host:", "host:99999", "host:x"})
    void refusesWhatIsNoPlace(String text) {
        assertThatThrownBy(() -> Listen.parse(text)).hasMessageStartingWith("listen:");
    }

    @ParameterizedTest
    @ValueSource(strings = {"localhost", "localhost:80", "LOCALHOST:80"})
    void findsTheHostBeforeThePort(String host) {
        assertThat(Doorkeeper.withoutPort(host)).isEqualTo("localhost");
    }
}
