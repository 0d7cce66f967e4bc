package dev.bobbin.ops.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

final class DetachKeysTest {
    private static String pass(DetachKeys keys, String typed) {
        return new String(keys.pass(typed.getBytes(StandardCharsets.UTF_8)), StandardCharsets.UTF_8);
    }

    @Test
    void passesEverythingElseOnInOrder() {
        var keys = new DetachKeys(DetachKeys.USUAL);
        assertThat(pass(keys, "ab\020")).isEqualTo("ab");
        assertThat(pass(keys, "c")).isEqualTo("\020c");
        assertThat(pass(keys, "\020\020")).isEqualTo("\020");
        assertThat(keys.isComplete()).isFalse();
        assertThat(pass(keys, "\021lost")).isEmpty();
        assertThat(keys.isComplete()).isTrue();
    }

    @Test
    void takesKeysAsPeopleWriteThem() {
        var keys = new DetachKeys("ctrl-],x,CTRL-@");
        assertThat(pass(keys, "\035x")).isEmpty();
        assertThat(pass(keys, "\000")).isEmpty();
        assertThat(keys.isComplete()).isTrue();
        var none = new DetachKeys("");
        assertThat(pass(none, "\020\021")).isEqualTo("\020\021");
        assertThat(none.isComplete()).isFalse();
    }

    @Test
    void refusesWhatNoKeyIsCalled() {
        for (var wrong : List.of("ctrl-", "xy", ",", "ctrl-1", "ctrl-pp", " ")) {
            assertThatThrownBy(() -> new DetachKeys(wrong)).isInstanceOf(IllegalArgumentException.class);
        }
    }
}
