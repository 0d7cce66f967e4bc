package dev.bobbin.runner.escape;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// PID 1 and its program, which have the machine's rights.
class InitIT extends Attacked {
    @Test
    void cannotBeTracedReadStoppedOrKilled() throws Exception {
        assertThat(attempts.of(
                        "trace-init",
                        "seize-init",
                        "read-init",
                        "pidfd_getfd",
                        "kcmp",
                        "stop-init",
                        "kill-init",
                        "limit-init"))
                .hasSize(8)
                .allSatisfy((name, answer) -> assertThat(answer).as(name).isEqualTo("EPERM"));
        assertThat(attempts.of("trace-child")).containsEntry("trace-child", "done");
    }

    @Test
    void cannotBeOpened() throws Exception {
        var files = new String[] {
            "exe",
            "root",
            "cwd",
            "environ",
            "maps",
            "smaps",
            "mem",
            "auxv",
            "io",
            "stack",
            "syscall",
            "pagemap",
            "fd/0",
            "fdinfo/0",
            "map_files",
            "ns/mnt",
            "ns/user",
            "task/1/mem"
        };
        var paths = new String[files.length];
        for (var i = 0; i < files.length; i++) {
            paths[i] = "/proc/1/" + files[i];
        }
        assertThat(attempts.onFiles(paths))
                .hasSize(paths.length)
                .allSatisfy((path, answer) ->
                        assertThat(answer).as(path).matches("(EACCES|EPERM|ENOENT) (EACCES|EPERM|ENOENT|EISDIR)"));
    }

    @Test
    void takesNoWord() throws Exception {
        assertThat(attempts.onFiles(
                        "/proc/1/oom_score_adj", "/proc/1/coredump_filter", "/proc/1/comm", "/proc/1/clear_refs"))
                .hasSize(4)
                .allSatisfy((path, answer) -> assertThat(answer).as(path).doesNotContain("write"));
    }

    @Test
    void isNotLeftOpenForAJobThatExecutesItself() throws Exception {
        Path program;
        try (var programs = Files.list(host.dataDir().resolve("bin"))) {
            program = programs.findFirst().orElseThrow();
        }
        var before = hash(Files.readAllBytes(program));
        var results = host.sh("""
                for file in /proc/1/exe /proc/self/exe /proc/$PPID/exe; do
                    (echo x > $file) 2>&1 | grep -o 'Permission denied\\|Text file busy\\|Read-only file system'
                done
                """);
        assertThat(results.stdout().lines()).hasSize(3);
        assertThat(hash(Files.readAllBytes(program))).isEqualTo(before);
        assertThat(Files.getPosixFilePermissions(program)).isEqualTo(PosixFilePermissions.fromString("r-x------"));
    }

    @Test
    void isNotExecutedInPlaceOfTheProgramOfTheJob() throws Exception {
        // CVE-2019-5736: the entrypoint is a link to whoever executes it
        var result = host.request(
                        "sh",
                        "-c",
                        "ln -s /proc/self/exe /w/entry; /w/entry -c 'readlink /proc/self/exe'; exec /proc/self/exe -c pwd")
                .workdir("/w")
                .run();
        assertThat(result.stdout()).isEqualTo("/usr/bin/readlink\n/w\n").doesNotContain("bobbin");
        assertThat(host.sh("cat /proc/1/cmdline /proc/1/environ 2>/dev/null | tr -d '\\0'")
                        .stdout())
                .isEmpty();
    }

    @Test
    void tellsNothingOfTheMachinesPaths() throws Exception {
        var told = host.sh("cat /proc/1/mountinfo /proc/1/cgroup /proc/1/status /proc/net/unix /proc/self/mountinfo")
                .stdout();
        assertThat(told)
                .doesNotContain(host.dataDir().toString())
                .doesNotContain(host.runDir().toString());
    }

    private static String hash(byte[] content) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    }

    @Test
    void losesNothingToAttempts() throws Exception {
        assertThat(attempts.of("kill-init")).isEqualTo(Map.of("kill-init", "EPERM"));
        assertThat(host.sh("kill -9 1; kill -STOP 1; kill -9 -1; echo here").stdout())
                .isEqualTo("here\n");
        assertThat(host.sh("echo next").stdout()).isEqualTo("next\n");
    }
}
