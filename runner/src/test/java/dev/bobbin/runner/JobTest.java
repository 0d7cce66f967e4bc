package dev.bobbin.runner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.image.ImageReference;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class JobTest {

    @Test
    void namesTheFieldThatIsWrong() {
        refuses("command[1]: must not contain a NUL", List.of("echo", "a\0b"), null);
        refuses("command[0]: must not be empty", List.of(""), null);
        refuses("command: has at most 4096 arguments", Collections.nCopies(10_000, "a"), null);
        refuses("command[1]: has at most 131071 bytes", List.of("echo", "x".repeat(2 << 20)), null);
        refuses("command: with env has at most 1 MiB", Collections.nCopies(10, "x".repeat(120_000)), null);
        refuses("workdir: must be an absolute path", List.of("true"), "tmp");
        refuses("workdir: must not have \"..\" parts", List.of("true"), "/tmp/../etc");
    }

    @Test
    void keepsCommandsAndDirectoriesOutOfTheKernelsTrees() {
        for (var path : List.of("/proc/self/exe", "/proc/self/fd/7", "//proc//1/exe", "/./proc/self/exe", "/proc")) {
            refuses("command[0]: must not lie in /proc", List.of(path), null);
            refuses("workdir: must not lie in /proc", List.of("true"), path);
        }
        assertThat(job(List.of("/process"), "/devices").command().workdir()).isEqualTo("/devices");
    }

    @Test
    void refusesPathsThatLeaveTheWorkingDirectory() {
        for (var path : List.of("", "/etc/passwd", "../x", "a/../b", "a//b", "a/", "./a", "a/..", "a\0b")) {
            assertThatThrownBy(() -> new InputFile(path, new byte[0], 0644))
                    .as(path)
                    .isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(new InputFile("a/..b/c", new byte[0], 0644).path()).isEqualTo("a/..b/c");
    }

    @Test
    void refusesFilesThatCannotAllBeThere() {
        assertThatThrownBy(() -> withFiles(file("a", 1), file("a/b", 1)))
                .hasMessageStartingWith("files: a/b cannot lie below the file a");
        assertThatThrownBy(() -> withFiles(file("a", 1), file("a", 1))).hasMessageStartingWith("files: ");
        assertThatThrownBy(() -> withFiles(file("a", 600), file("b", 600 << 20)))
                .hasMessageContaining("limits.disk");
        assertThat(withFiles(file("a/b", 1), file("a/c", 1)).files()).hasSize(2);
    }

    private static InputFile file(String path, int bytes) {
        return new InputFile(path, new byte[bytes], 0644);
    }

    private static Job.Run withFiles(InputFile... files) {
        return job(List.of("true"), null, List.of(files));
    }

    @Test
    void makesIdsThatSortByAge() {
        var first = JobId.next();
        assertThat(JobId.parse(first.toString())).contains(first);
        assertThat(first.value().version()).isEqualTo(7);
        assertThat(first.value().variant()).isEqualTo(2);
        assertThat(JobId.parse("00000000-0000-4000-8000-000000000000")).isEmpty();
        assertThat(JobId.parse("../../etc/passwd")).isEmpty();
    }

    private static void refuses(String message, List<String> command, @Nullable String workdir) {
        assertThatThrownBy(() -> job(command, workdir))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(message);
    }

    private static Job.Run job(List<String> command, @Nullable String workdir) {
        return job(command, workdir, List.of());
    }

    private static Job.Run job(List<String> command, @Nullable String workdir, List<InputFile> files) {
        return new Job.Run(
                JobId.next(),
                "default",
                ImageReference.HOST,
                new Command(command, Map.of(), workdir, null, null),
                new Stdin.Empty(),
                files,
                Limits.DEFAULT,
                Job.OnDisconnect.KILL,
                Job.OutputPolicy.KILL,
                Map.of(),
                List.of(),
                Isolation.USUAL,
                null);
    }
}
