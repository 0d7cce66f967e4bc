package dev.bobbin.ops.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What of a stranger's text may reach a terminal.
final class CellsTest {
    private static final Pattern COLOURS = Pattern.compile("(?:\033\\[[0-9;:]*m|[^\\p{Cntrl}\u0080-\u009f])*+");

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a\033[2Jb",
                "a\033[1;1Hb",
                "a\033[?1049hb",
                "a\033[>4;2mb",
                "a\033[?4mb",
                "a\033]0;title\007b",
                "a\033]52;c;aGk=\033\\b",
                "a\033P+q544e\033\\b",
                "a\033_command\033\\b",
                "a\033cb",
                "a\033(0b",
                "a\007\bb",
                "gone\rab",
                "ab\r\r",
            })
    void leavesOutWhatSteersATerminal(String line) {
        assertThat(Cells.plain(line)).isEqualTo("ab");
        assertThat(Cells.coloured(line)).isEqualTo("ab");
    }

    @Test
    void keepsColoursToTheEndOfTheLine() {
        assertThat(Cells.plain("a\033[1;31mb")).isEqualTo("ab");
        assertThat(Cells.coloured("a\033[1;31mb")).isEqualTo("a\033[1;31mb\033[0m");
        assertThat(Cells.coloured("\033[32m\tb")).isEqualTo("\033[32m        b\033[0m");
    }

    @Test
    void makesNoSequenceOfWhatIsLeft() {
        assertThat(Cells.coloured("\033\033[K[2J")).isEqualTo("[2J");
        assertThat(Cells.coloured("\033\033[31m[2J")).isEqualTo("\033[31m[2J\033[0m");
        assertThat(Cells.coloured("\033[2\033[0mJ")).isEqualTo("2\033[0mJ\033[0m");
        assertThat(Cells.coloured("\u009b2J")).isEqualTo("2J");
    }

    @Test
    void letsNothingButColoursThroughWhateverComes() {
        var seed = System.nanoTime();
        var random = new Random(seed);
        var alphabet = "\033\033\033[]();:?>0123mJKPX^_\\\007\r\t\b\u009bab ";
        for (var i = 0; i < 4_000; i++) {
            var line = new StringBuilder();
            for (var left = random.nextInt(24); left > 0; left--) {
                line.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            var coloured = Cells.coloured(line.toString());
            if (!COLOURS.matcher(coloured).matches()) {
                fail("seed %d: %s", seed, coloured.replace('\033', '^'));
            }
        }
    }
}
