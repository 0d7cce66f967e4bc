package dev.bobbin.runner.build.dockerfile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.runner.build.BuildException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LexerTest {
    @Test
    void joinsContinuedLinesAndCountsThem() {
        var statements =
                Lexer.read("FROM a\n\n# comment\nRUN one \\\n  && two \\  \n\n  # within\n  && three\nCMD x\n");

        assertThat(statements.stream().map(Statement::text))
                .containsExactly("FROM a", "RUN one   && two   && three", "CMD x");
        assertThat(statements.stream().map(Statement::line)).containsExactly(1, 4, 9);
    }

    @Test
    void aDoubledEscapeCharacterContinuesNothing() {
        assertThat(texts("RUN a \\\\\nRUN b")).containsExactly("RUN a \\\\", "RUN b");
    }

    @Test
    void continuesToTheEndOfTheFile() {
        assertThat(texts("RUN a \\")).containsExactly("RUN a");
        assertThat(texts("RUN a \\\n# c")).containsExactly("RUN a");
        assertThat(texts("\\\n\\\n")).isEmpty();
    }

    @Test
    void takesLineEndsOfWindowsAndAByteOrderMark() {
        assertThat(texts("\ufeffFROM a\r\nRUN b \\\r\n c\r\n")).containsExactly("FROM a", "RUN b  c");
    }

    @Test
    void directivesChangeTheEscapeCharacter() {
        assertThat(texts("# syntax=docker/dockerfile:1\n# Escape = `\nRUN a `\n b\nRUN c\\\n"))
                .containsExactly("RUN a  b", "RUN c\\");
    }

    @ParameterizedTest
    @CsvSource({"'# a comment\n# escape=`\n'", "'\n# escape=`\n'", "'FROM a\n# escape=`\n'", "'# what=1\n# escape=`\n'"
    })
    void directivesStandAtTheTop(String top) {
        assertThat(texts(top + "RUN a `\nRUN b")).contains("RUN a `", "RUN b");
    }

    @Test
    void refusesWrongDirectives() {
        assertRefused("# escape=\\\n# escape=`\n", 2);
        assertRefused("# escape=/\n", 1);
    }

    @Test
    void readsHeredocs() {
        var statement = Lexer.read(
                        "RUN cat <<EOF > /a && cat <<-\"OTHER\" >/b\n$A\n# no comment\nEOF\n\t\tx\n\tOTHER\nCMD y")
                .getFirst();

        assertThat(statement.heredocs())
                .containsExactly(
                        new Heredoc("EOF", "<<EOF", true, false, "$A\n# no comment\n"),
                        new Heredoc("OTHER", "<<-\"OTHER\"", false, true, "\t\tx\n"));
        assertThat(statement.heredocs().get(1).stripped()).isEqualTo("x\n");
    }

    @Test
    void whatFollowsAHeredocIsRead() {
        assertThat(texts("COPY <<a <<b /x/\n1\na\n2\nb\nCMD y")).containsExactly("COPY <<a <<b /x/", "CMD y");
        assertThat(texts("RUN <<EOF>/x cat\n1\nEOF\nCMD y")).containsExactly("RUN <<EOF>/x cat", "CMD y");
    }

    @ParameterizedTest
    @CsvSource({
        "RUN cat <<<EOF",
        "RUN echo \"<<EOF\"",
        "RUN echo $((1<<2))",
        "CMD cat <<EOF",
        "'RUN [\"a\", \"<<EOF\"]'",
        "ENV a=<<EOF"
    })
    void looksForNoHeredocIn(String line) {
        assertThat(Lexer.read(line).getFirst().heredocs()).isEmpty();
    }

    @Test
    void refusesAHeredocWithoutEnd() {
        assertRefused("FROM a\nRUN <<EOF\nx\n EOF\n", 2);
    }

    private static List<String> texts(String text) {
        return Lexer.read(text).stream().map(Statement::text).toList();
    }

    private static void assertRefused(String text, int line) {
        assertThatThrownBy(() -> Lexer.read(text))
                .isInstanceOfSatisfying(
                        BuildException.class, e -> assertThat(e.line()).isEqualTo(line));
    }
}
