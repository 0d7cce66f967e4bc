package dev.bobbin.runner.build.dockerfile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.runner.build.BuildException;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The table is what the Dockerfile reference says of its variables.
class ExpansionTest {
    private static final Map<String, @Nullable String> VARIABLES = new HashMap<>(
            Map.of("V", "value", "EMPTY", "", "FILE", "a.tar.gz", "P", "foobarbaz", "S", "two words", "_x1", "under"));

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "plain                | plain",
                "$V                   | value",
                "${V}                 | value",
                "a${V}b               | avalueb",
                "$V$V                 | valuevalue",
                "$Vb                  | ``",
                "$_x1                 | under",
                "$MISSING             | ``",
                "${MISSING}           | ``",
                "${MISSING:-word}     | word",
                "${EMPTY:-word}       | word",
                "${EMPTY-word}        | ``",
                "${MISSING-word}      | word",
                "${V:-word}           | value",
                "${V:+word}           | word",
                "${EMPTY:+word}       | ``",
                "${EMPTY+word}        | word",
                "${MISSING+word}      | ``",
                "${V:?gone}           | value",
                "${EMPTY?gone}        | ``",
                "${MISSING:-$V}       | value",
                "${MISSING:-${V}x}    | valuex",
                "${MISSING:-${X:-${V}}} | value",
                "${FILE%.*}           | a.tar",
                "${FILE%%.*}          | a",
                "${FILE#*.}           | tar.gz",
                "${FILE##*.}          | gz",
                "${P#foo}             | barbaz",
                "${P#?oo}             | barbaz",
                "${P#nope}            | foobarbaz",
                "${P%b?z}             | foobar",
                "${P/ba/-}            | foo-rbaz",
                "${P//ba/-}           | foo-r-z",
                "${P//[x]/-}          | foobarbaz",
                "\\$V                 | $V",
                "\\\\$V               | \\value",
                "\"$V\"               | value",
                "\"a b\"              | a b",
                "'$V'                 | $V",
                "'a\\b'               | a\\b",
                "\"\\$V\"             | $V",
                "\"a\\b\"             | a\\b",
                "\"a\\\"b\"           | a\"b",
                "a\\ b                | a b",
                "\\a                  | a",
                "$                    | $",
                "$/x                  | $/x",
                "a$                   | a$",
                "$1x                  | x",
                "${1}                 | ``",
                "$S                   | two words",
            })
    void means(String raw, String meant) {
        assertThat(expansion().word(raw)).isEqualTo(meant);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "${",
                "${}",
                "${V",
                "${V:",
                "${V:-",
                "${V:x}",
                "${V^}",
                "${V:-${V}",
                "'a",
                "\"a",
                "a'b",
                "${MISSING?}",
                "${EMPTY:?it is gone}",
                "${P/a",
                "${-}}${"
            })
    void refuses(String raw) {
        assertThatThrownBy(() -> expansion().word(raw))
                .isInstanceOfSatisfying(
                        BuildException.class, e -> assertThat(e.line()).isEqualTo(7));
    }

    @Test
    void namesWhatIsMissing() {
        assertThatThrownBy(() -> expansion().word("${TOKEN:?pass it with --build-arg}"))
                .hasMessage("TOKEN is not set: pass it with --build-arg");
    }

    @Test
    void anotherEscapeCharacterLeavesBackslashesAlone() {
        var expansion = new Expansion(VARIABLES::get, '`', 1);

        assertThat(expansion.word("C:\\dir\\$V `$V")).isEqualTo("C:\\dir\\value $V");
    }

    @Test
    void putsVariablesIntoTextsWhoseQuotesMeanNothing() {
        assertThat(expansion().text("it's \"$V\" \\$V \\n ${MISSING:-x}\n")).isEqualTo("it's \"value\" $V \\n x\n");
    }

    @Test
    void refusesValuesThatNoProgramCouldBeGiven() {
        var long1 = "x".repeat(100_000);

        assertThatThrownBy(() -> new Expansion(_ -> long1, '\\', 3).word("$A$A"))
                .hasMessageContaining("longer than");
    }

    @Test
    void refusesEndlessNesting() {
        assertThatThrownBy(() -> expansion().word("${X:-".repeat(10_000))).hasMessageContaining("nested");
    }

    private static Expansion expansion() {
        return new Expansion(VARIABLES::get, '\\', 7);
    }
}
