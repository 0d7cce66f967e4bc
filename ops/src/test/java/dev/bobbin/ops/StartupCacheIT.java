package dev.bobbin.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The launcher with a real JDK and the real program, laid out as a build leaves it but without sources.
@Timeout(240)
final class StartupCacheIT {
    private static final Path BUILT = Path.of("target").toAbsolutePath();

    @TempDir
    private Path tree = Path.of("");

    private Path caches = Path.of("");

    private record Result(int code, String out, String err) {}

    @BeforeAll
    static void onlyAsRoot() {
        var root = System.getProperty("user.name").equals("root");
        if (!root && Boolean.parseBoolean(System.getenv("CI"))) {
            throw new IllegalStateException("CI must run as root: these tests make sandboxes");
        }
        assumeTrue(root, "not root, and making sandboxes needs it");
    }

    @BeforeEach
    void layOut() throws Exception {
        var build = tree.resolve("ops/target/run/build.1");
        Files.createDirectories(build);
        for (var script : List.of("bobbin", "train")) {
            Files.copy(
                    Path.of(script).toAbsolutePath(),
                    tree.resolve("ops").resolve(script),
                    StandardCopyOption.COPY_ATTRIBUTES);
        }
        run(
                Map.of(),
                List.of(
                        "cp",
                        "-R",
                        BUILT.resolve("bobbin.jar").toString(),
                        BUILT.resolve("lib").toString(),
                        build.toString()));
        Files.createSymbolicLink(tree.resolve("ops/target/run/current"), Path.of("build.1"));
        caches = build.resolve("startup");
    }

    @Test
    void makesCachesOnFirstUseUsesThemAfterwardsAndLeavesNothingElse() throws Exception {
        var before = System.nanoTime();
        var first = bobbin(Map.of(), "--version");
        var took = System.nanoTime() - before;
        assertThat(first.code()).isZero();
        assertThat(first.out()).startsWith("bobbin ").hasLineCount(1);
        assertThat(first.err()).isEmpty();
        assertThat(caches.resolve("failed")).doesNotExist();

        var server = await("server");
        var client = await("client");
        untilTrainingEnds();

        assertThat(took).isLessThan(TimeUnit.SECONDS.toNanos(20));
        assertThat(Files.readString(caches.resolve("log"))).contains("made ");
        try (var files = Files.list(caches)) {
            assertThat(files).containsExactlyInAnyOrder(server, client, caches.resolve("log"), caches.resolve("lock"));
        }
        var trace = tree.resolve("trace");
        var second = bobbin(Map.of("JAVA_TOOL_OPTIONS", "-Xlog:class+load:file=" + trace), "--version");
        assertThat(second.out()).isEqualTo(first.out());
        assertThat(Files.readString(trace))
                .containsPattern("dev\\.bobbin\\.ops\\.cli\\.RunCommand source: shared objects file");

        Files.writeString(client, "this is no cache");
        var broken = bobbin(Map.of(), "--version");
        assertThat(broken.code()).isZero();
        assertThat(broken.out()).isEqualTo(first.out());
        assertThat(broken.err()).isEmpty();
    }

    @Test
    void severalFirstUsesTrainOnceAndTheNextUseClearsUpAfterAKill() throws Exception {
        for (var use = 0; use < 3; use++) {
            assertThat(bobbin(Map.of(), "--version").code()).isZero();
        }
        untilWorkBegins();
        assertThat(Files.readString(caches.resolve("log"))).containsOnlyOnce("making caches");
        var work = Path.of(Files.readString(caches.resolve("work")).strip());
        ProcessHandle.allProcesses()
                .filter(process -> process.info().arguments().stream()
                        .flatMap(Stream::of)
                        .anyMatch(tree.resolve("ops/train").toString()::equals))
                .forEach(ProcessHandle::destroyForcibly);

        // Its JVM ends by itself.
        untilNobodyNames(work);
        assertThat(bobbin(Map.of(), "--version").code()).isZero();
        await("server");
        untilTrainingEnds();

        assertThat(work).doesNotExist();
        assertThat(caches.resolve("work")).doesNotExist();
    }

    @Test
    void makesNoneWhenSwitchedOff() throws Exception {
        var result = bobbin(Map.of("BOBBIN_STARTUP_CACHE", "off"), "--version");

        assertThat(result.code()).isZero();
        assertThat(caches).doesNotExist();
    }

    @Test
    void goesOnWhereNoneCanBeWritten() throws Exception {
        Files.writeString(caches, "a file where the directory would be");

        var result = bobbin(Map.of(), "--version");

        assertThat(result.code()).isZero();
        assertThat(result.err()).isEmpty();
        assertThat(caches).isRegularFile();
    }

    @Test
    void stepsAsideForOptionsThatRefuseACache() throws Exception {
        var result = bobbin(Map.of("JAVA_TOOL_OPTIONS", "-Xshare:auto"), "--version");

        assertThat(result.code()).isZero();
        assertThat(caches).doesNotExist();
    }

    @Test
    void saysInTheLogWhyTrainingFailedAndDoesNotTryAgain() throws Exception {
        var damaged = tree.resolve("ops/target/run/build.1/lib");
        run(Map.of(), List.of("sh", "-c", "rm \"$1\"/runner-*.jar", "sh", damaged.toString()));

        assertThat(bobbin(Map.of(), "--version").code()).isZero();
        untilTrainingEnds();

        assertThat(Files.readString(caches.resolve("log"))).contains("did not start", "to try again");
        var size = Files.size(caches.resolve("log"));
        bobbin(Map.of(), "--version");
        TimeUnit.SECONDS.sleep(1);
        assertThat(Files.size(caches.resolve("log"))).isEqualTo(size);
    }

    private Path await(String kind) throws Exception {
        while (true) {
            if (Files.isDirectory(caches)) {
                try (var files = Files.newDirectoryStream(caches, kind + "-*.aot")) {
                    var found = files.iterator();
                    if (found.hasNext()) {
                        return found.next();
                    }
                }
            }
            TimeUnit.MILLISECONDS.sleep(200);
        }
    }

    private void untilWorkBegins() throws Exception {
        var work = caches.resolve("work");
        while (!Files.exists(work) || Files.size(work) == 0) {
            TimeUnit.MILLISECONDS.sleep(50);
        }
        var log = Path.of(Files.readString(work).strip()).resolve("server.log");
        while (!Files.exists(log)) {
            TimeUnit.MILLISECONDS.sleep(50);
        }
    }

    /// Waits until no process has `directory` in its arguments; the JVM's `timeout` names it.
    private static void untilNobodyNames(Path directory) throws Exception {
        while (ProcessHandle.allProcesses()
                .flatMap(process -> process.info().arguments().stream().flatMap(Stream::of))
                .anyMatch(argument -> argument.contains(directory.toString()))) {
            TimeUnit.MILLISECONDS.sleep(100);
        }
    }

    /// The trainer writes its first line once it holds the lock, which is free again when it has ended.
    private void untilTrainingEnds() throws Exception {
        var log = caches.resolve("log");
        while (!Files.exists(log) || Files.size(log) == 0) {
            TimeUnit.MILLISECONDS.sleep(50);
        }
        run(Map.of(), List.of("flock", caches.resolve("lock").toString(), "true"));
    }

    private Result bobbin(Map<String, String> environment, String... arguments) throws Exception {
        var line = new java.util.ArrayList<>(List.of(tree.resolve("ops/bobbin").toString()));
        line.addAll(List.of(arguments));
        return run(environment, line);
    }

    private static Result run(Map<String, String> environment, List<String> line)
            throws IOException, InterruptedException {
        var builder = new ProcessBuilder(line).redirectInput(new java.io.File("/dev/null"));
        builder.environment().remove("JAVA_TOOL_OPTIONS");
        builder.environment().remove("BOBBIN_STARTUP_CACHE");
        builder.environment().put("BOBBIN_JAVA_HOME", System.getProperty("java.home"));
        builder.environment().putAll(environment);
        var process = builder.start();
        var out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        var err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        if (environment.containsKey("JAVA_TOOL_OPTIONS")) {
            err = err.replaceFirst("Picked up JAVA_TOOL_OPTIONS[^\\n]*\\n", "");
        }
        return new Result(process.waitFor(), out, err);
    }
}
