package dev.bobbin.runner.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
