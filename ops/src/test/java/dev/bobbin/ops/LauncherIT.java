package dev.bobbin.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The launcher in a source tree of scripts that pretend to be JDKs and Maven.
final class LauncherIT {
    private static final Path LAUNCHER = Path.of("bobbin").toAbsolutePath();
    private static final Path TRAINER = Path.of("train").toAbsolutePath();

    @TempDir
    private Path tree = Path.of("");

    private record Result(int code, String out, String err) {}

    @BeforeEach
    void sourceTree() throws IOException {
        Files.createDirectories(tree.resolve("ops/src/main/java"));
        for (var module : List.of("image-store", "runner", "scheduler")) {
            Files.createDirectories(tree.resolve(module + "/src/main/java"));
        }
        Files.writeString(tree.resolve("pom.xml"), "");
        Files.copy(LAUNCHER, tree.resolve("ops/bobbin"), StandardCopyOption.COPY_ATTRIBUTES);
        Files.copy(TRAINER, tree.resolve("ops/train"), StandardCopyOption.COPY_ATTRIBUTES);
        Files.createDirectories(tree.resolve("jvm"));
        for (var tool : List.of("cc", "make")) {
            script("bin/" + tool, "exit 0");
        }
        script("bin/mvn", """
                echo "maven with $JAVA_HOME"
                echo one >>"$TREE/builds"
                mkdir -p "$TREE/ops/target/lib"
                echo jar >"$TREE/ops/target/bobbin.jar"
                """);
    }

    @Test
    void takesTheFirstJdkThatIsNewEnough() throws Exception {
        jdk("jvm/a-17", "17.0.15");
        jdk("jvm/b-26", "26.0.1");
        jdk("home-25", "25.0.3");

        assertThat(start(Map.of(), "run").out()).contains("jvm/b-26");
        assertThat(start(Map.of("JAVA_HOME", tree + "/home-25"), "run").out()).contains("home-25");
        assertThat(start(Map.of("JAVA_HOME", tree + "/jvm/a-17"), "run").out()).contains("jvm/b-26");
        assertThat(start(Map.of("BOBBIN_JAVA_HOME", tree + "/jvm/b-26", "JAVA_HOME", tree + "/home-25"), "run")
                        .out())
                .contains("jvm/b-26");
    }

    @Test
    void findsTheJdkOfJavaOnPath() throws Exception {
        jdk("elsewhere/jdk", "25");
        Files.createSymbolicLink(tree.resolve("bin/java"), tree.resolve("elsewhere/jdk/bin/java"));

        assertThat(start(Map.of(), "run").out()).contains("elsewhere/jdk");
    }

    @Test
    void saysThatThereIsNoJdk() throws Exception {
        jdk("jvm/a-17", "17.0.15");

        var result = start(Map.of(), "run");

        assertThat(result.code()).isEqualTo(125);
        assertThat(result.out()).isEmpty();
        assertThat(result.err())
                .contains("needs a JDK 25 or newer", "BOBBIN_JAVA_HOME")
                .hasLineCount(1);
    }

    @Test
    void namesThePackageOfAMissingTool() throws Exception {
        jdk("jvm/b-26", "26.0.1");
        Files.delete(tree.resolve("bin/mvn"));

        var result = start(Map.of(), "run");

        assertThat(result.code()).isEqualTo(125);
        assertThat(result.err()).contains("mvn", "apt-get install maven").hasLineCount(1);
    }

    @Test
    void buildsOnceAndSaysSoOnStderrOnly() throws Exception {
        jdk("jvm/b-26", "26.0.1");

        var first = start(Map.of(), "run", "--", "echo", "two words");
        var second = start(Map.of(), "run", "--", "echo", "two words");

        assertThat(first.err()).startsWith("bobbin: building Bobbin from").contains("build.log");
        assertThat(first.out()).contains("<run> <--> <echo> <two words>").doesNotContain("maven");
        assertThat(second.err()).isEmpty();
        assertThat(builds()).isEqualTo(1);
    }

    @Test
    void buildsAgainWhenASourceIsNewerButNotForATest() throws Exception {
        jdk("jvm/b-26", "26.0.1");
        start(Map.of(), "run");
        TimeUnit.MILLISECONDS.sleep(20);

        Files.createDirectories(tree.resolve("runner/src/test/java"));
        Files.writeString(tree.resolve("runner/src/test/java/New.java"), "");
        start(Map.of(), "run");
        assertThat(builds()).isEqualTo(1);

        Files.writeString(tree.resolve("runner/src/main/java/New.java"), "");
        start(Map.of(), "run");
        assertThat(builds()).isEqualTo(2);
    }

    @Test
    void twoFirstUsesBuildOnce() throws Exception {
        jdk("jvm/b-26", "26.0.1");
        script("bin/mvn", Files.readString(tree.resolve("bin/mvn")) + "sleep 0.5");

        var one = process(Map.of(), "run");
        var other = process(Map.of(), "run");

        assertThat(result(one).code()).isZero();
        assertThat(result(other).code()).isZero();
        assertThat(builds()).isEqualTo(1);
    }

    @Test
    void namesTheLogOfAFailedBuild() throws Exception {
        jdk("jvm/b-26", "26.0.1");
        script("bin/mvn", "echo '[ERROR] no such symbol'\nexit 1");

        var result = start(Map.of(), "run");

        assertThat(result.code()).isEqualTo(125);
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).contains("[ERROR] no such symbol", "ops/target/build.log");
    }

    @Test
    void worksThroughLinksFromAnywhere() throws Exception {
        jdk("jvm/b-26", "26.0.1");
        Files.createSymbolicLink(tree.resolve("link"), Path.of("ops/bobbin"));
        Files.createSymbolicLink(tree.resolve("bin/bobbin"), tree.resolve("link"));

        var builder = builder(Map.of(), List.of(tree.resolve("bin/bobbin").toString(), "run"))
                .directory(Path.of("/").toFile());

        assertThat(result(builder.start()).out()).contains("jvm/b-26");
    }

    private void jdk(String path, String version) throws IOException {
        script(path + "/bin/java", "echo \"$0\"\nfor a; do printf '<%s> ' \"$a\"; done");
        Files.writeString(tree.resolve(path + "/release"), "IMPLEMENTOR=\"X\"\nJAVA_VERSION=\"" + version + "\"\n");
    }

    private void script(String path, String text) throws IOException {
        var file = tree.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text.startsWith("#!") ? text : "#!/bin/sh\n" + text + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private long builds() throws IOException {
        return Files.readAllLines(tree.resolve("builds")).size();
    }

    private Result start(Map<String, String> environment, String... arguments) throws Exception {
        return result(process(environment, arguments));
    }

    private Process process(Map<String, String> environment, String... arguments) throws IOException {
        var command = new ArrayList<>(List.of(tree.resolve("ops/bobbin").toString()));
        command.addAll(List.of(arguments));
        return builder(environment, command).start();
    }

    /// Only the machine's plain tools are on the path, by links, so that none of its JDKs or compilers is found.
    private ProcessBuilder builder(Map<String, String> environment, List<String> command) throws IOException {
        for (var tool : List.of(
                "sh",
                "readlink",
                "dirname",
                "find",
                "flock",
                "mkdir",
                "date",
                "cp",
                "ln",
                "mv",
                "rm",
                "grep",
                "head",
                "sleep")) {
            var link = tree.resolve("bin/" + tool);
            if (!Files.exists(link)) {
                var real = Files.exists(Path.of("/usr/bin", tool)) ? Path.of("/usr/bin", tool) : Path.of("/bin", tool);
                Files.createSymbolicLink(link, real);
            }
        }
        var builder = new ProcessBuilder(command);
        builder.environment().clear();
        builder.environment().put("BOBBIN_STARTUP_CACHE", "off");
        builder.environment().putAll(environment);
        builder.environment().put("PATH", tree.resolve("bin").toString());
        builder.environment().put("BOBBIN_JVM_DIR", tree.resolve("jvm").toString());
        builder.environment().put("TREE", tree.toString());
        return builder;
    }

    private static Result result(Process process) throws Exception {
        var out = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        var err = new String(process.getErrorStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        return new Result(process.waitFor(), out, err);
    }
}
