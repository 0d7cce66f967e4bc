package dev.bobbin.runner.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.runner.kernel.Abi;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FiltersTest {
    @TempDir
    private Path directory = Path.of("");

    @Test
    void makesAProgramOnceAndKeepsIt() throws Exception {
        var filters = new Filters(directory.resolve("seccomp"));
        var first = filters.standard();
        var made = Files.getLastModifiedTime(first);
        assertThat(new Filters(directory.resolve("seccomp")).standard()).isEqualTo(first);
        assertThat(Files.getLastModifiedTime(first)).isEqualTo(made);
        assertThat(Files.getPosixFilePermissions(first)).isEqualTo(PosixFilePermissions.fromString("rw-------"));
        try (var files = Files.list(directory.resolve("seccomp"))) {
            assertThat(files).containsExactly(first);
        }
    }

    /// On the machine that built them.
    @ParameterizedTest
    @CsvSource({
        "default, X86_64",
        "default, AARCH64",
        "moderate, X86_64",
        "moderate, AARCH64",
        "restrictive, X86_64",
        "restrictive, AARCH64"
    })
    void whatTheBuildMadeIsWhatWouldBeMadeNow(String profile, Abi machine) throws Exception {
        assertThat(BuiltIn.program(profile, machine)).get().isEqualTo(Filters.compile(profile, machine));
    }

    /// Else a call stands there for nothing, or one was misspelt.
    @ParameterizedTest
    @ValueSource(strings = {"moderate", "restrictive"})
    void stricterOnesForbidWhatTheStandardOneAllows(String name) throws Exception {
        var allowed = ProfileText.read(BuiltIn.profile("default"), Abi.X86_64).rules().stream()
                .filter(rule -> rule.action().lets())
                .flatMap(rule -> rule.names().stream())
                .toList();
        var profile = ProfileText.read(BuiltIn.profile(name), Abi.X86_64);
        assertThat(profile.otherwise()).isEqualTo(Action.ALLOW);
        assertThat(profile.rules()).isNotEmpty().allSatisfy(rule -> {
            assertThat(rule.action()).isEqualTo(Action.errno(1));
            assertThat(allowed).containsAll(rule.names());
        });
    }

    @Test
    void makesAProgramOfAnotherProfileOnce() throws Exception {
        var profile = Files.writeString(directory.resolve("profile.json"), "{\"defaultAction\": \"SCMP_ACT_ALLOW\"}");
        var filters = new Filters(directory.resolve("seccomp"));
        var first = filters.of(profile);
        var made = Files.getLastModifiedTime(first);
        assertThat(filters.of(profile)).isEqualTo(first);
        assertThat(Files.getLastModifiedTime(first)).isEqualTo(made);
        assertThat(filters.standard()).isNotEqualTo(first);
    }

    @Test
    void makesADamagedOneAnew() throws Exception {
        var filters = new Filters(directory.resolve("seccomp"));
        var file = filters.standard();
        var program = Files.readAllBytes(file);
        var damaged = program.clone();
        damaged[12] ^= 1;
        Files.write(file, damaged);
        assertThat(filters.standard()).isEqualTo(file).hasBinaryContent(program);
    }

    @Test
    void refusesProfileUnderWhichNoJobCouldBegin() throws Exception {
        var profile = Files.writeString(directory.resolve("profile.json"), """
                {"defaultAction": "SCMP_ACT_ALLOW",
                 "syscalls": [{"names": ["execve", "mkdir"], "action": "SCMP_ACT_ERRNO"}]}
                """);
        assertThatThrownBy(() -> new Filters(directory.resolve("seccomp")).of(profile))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("no job can begin without execve");
        assertThatThrownBy(() -> new Filters(directory.resolve("seccomp")).onTop(profile))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("no job can begin without execve");
    }

    /// What is kept of a profile for one place is not taken for the other, where more is needed.
    @Test
    void asksLessOfProfilesOnTopOfAnother() throws Exception {
        var profile = Files.writeString(directory.resolve("profile.json"), """
                {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["openat2"], "action": "SCMP_ACT_ERRNO"}]}
                """);
        var filters = new Filters(directory.resolve("seccomp"));
        assertThat(filters.onTop(profile)).isNotEmpty();
        assertThatThrownBy(() -> filters.of(profile)).hasMessage("no job can begin without openat2");
    }
}
