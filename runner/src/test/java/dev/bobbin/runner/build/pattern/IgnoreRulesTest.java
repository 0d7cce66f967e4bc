package dev.bobbin.runner.build.pattern;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IgnoreRulesTest {
    @ParameterizedTest
    @CsvSource({
        "a, a",
        "/a, a",
        "a/, a",
        "./a, a",
        "a, a/b/c",
        "*.log, x.log",
        "a/*, a/b",
        "a/*, a/b/c",
        "*/temp*, some/temporary.txt",
        "*/*/temp*, some/sub/temporary.txt",
        "temp?, tempa",
        "**/*.go, main.go",
        "**/*.go, a/b/main.go",
        "**/node_modules, node_modules/x/y",
        "**/node_modules, a/node_modules/x",
        "a/**, a/b/c",
        "a/**/z, a/z",
        "a/**/z, a/b/c/z",
        "a/../b, b",
        "**, anything/at/all",
        "[a-c]x, bx",
        "[^a-c]x, dx",
        "\\*, *",
        "a\\?, a?",
        "Dockerfile, Dockerfile",
    })
    void leaveOut(String rule, String path) {
        assertThat(IgnoreRules.read(rule).ignores(path)).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "a, ab",
        "a, b/a",
        "*.log, a/x.log",
        "a/*, a",
        "*/temp*, temporary.txt",
        "*/temp*, a/b/temporary.txt",
        "temp?, temp",
        "temp?, temp/x",
        "**/*.go, main.goo",
        "a/**, a",
        "a/**/z, a/bz",
        "[a-c]x, dx",
        "[^a]x, /x",
        "\\*, a",
        "a.c, abc",
        "., a",
        "/, a",
    })
    void letIn(String rule, String path) {
        assertThat(IgnoreRules.read(rule).ignores(path)).isFalse();
    }

    @Test
    void theLastRuleThatAppliesCounts() {
        var rules = IgnoreRules.read("*.md\n!README*.md\nREADME-secret.md\n");

        assertThat(rules.ignores("NEWS.md")).isTrue();
        assertThat(rules.ignores("README.md")).isFalse();
        assertThat(rules.ignores("README-secret.md")).isTrue();

        var swapped = IgnoreRules.read("*.md\nREADME-secret.md\n!README*.md\n");
        assertThat(swapped.ignores("README-secret.md")).isFalse();
    }

    @Test
    void takesBackWhatLiesInAnIgnoredDirectory() {
        var rules = IgnoreRules.read("*\n!src\n!deep/down/kept\n");

        assertThat(rules.ignores("pom.xml")).isTrue();
        assertThat(rules.ignores("src")).isFalse();
        assertThat(rules.ignores("src/main/Main.java")).isFalse();
        assertThat(rules.ignores("deep/down")).isTrue();
        assertThat(rules.ignores("deep/down/kept")).isFalse();
    }

    @Test
    void commentsStandInTheFirstColumn() {
        var rules = IgnoreRules.read("\ufeff# a\r\n  # b\r\n\r\n  c  \r\n!  d\r\n");

        assertThat(rules.ignores("# a")).isFalse();
        assertThat(rules.ignores("# b")).isTrue();
        assertThat(rules.ignores("c")).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\n[a", "a\n!", "a\n[]", "a\nb\\", "a\n[c-a]", "a\n[-a]"})
    void refusesALineWithoutMeaning(String text) {
        assertThatThrownBy(() -> IgnoreRules.read(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("line 2: ");
    }

    @Test
    void takesNoMoreThanAMomentForAnyPattern() {
        var rules = IgnoreRules.read("**/*a*a*a*a*a*a*a*a*a*a*a*a*b");

        Assertions.assertTimeoutPreemptively(
                Duration.ofSeconds(10),
                () -> assertThat(rules.ignores("a".repeat(4000))).isFalse());
    }
}
