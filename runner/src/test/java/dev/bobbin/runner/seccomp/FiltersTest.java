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
import org.junit.jupiter.params.provider.EnumSource;

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
    @EnumSource(names = {"X86_64", "AARCH64"})
    void whatTheBuildMadeIsWhatWouldBeMadeNow(Abi machine) throws Exception {
        assertThat(BuiltIn.program(machine)).get().isEqualTo(Filters.compile(BuiltIn.profile(), machine));
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
    }
}
