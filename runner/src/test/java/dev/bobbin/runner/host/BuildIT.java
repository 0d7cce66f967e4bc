package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.store.PrunePolicy;
import dev.bobbin.runner.BuildEvent.Kind;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.build.BuildException;
import dev.bobbin.runner.host.TestBuilds.Told;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/// Builds with real sandboxes: what they make, what they keep, what they leave.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
class BuildIT {
    private static final String TENANT = TestBuilds.TENANT;
    private static final PrunePolicy ALL = new PrunePolicy(Duration.ZERO, null);

    private TestHost host;
    private TestBuilds builds;

    @BeforeAll
    void open() throws Exception {
        host = TestHost.open(2);
        builds = new TestBuilds(host);
    }

    @AfterAll
    void close() throws Exception {
        host.images().prune(ALL);
        host.close();
    }

    private Told build(String name, Map<String, String> files) throws Exception {
        return builds.of(name, files).build();
    }

    private Told build(String name, Map<String, String> files, boolean useCache, Map<String, byte[]> secrets)
            throws Exception {
        var request = builds.of(name, files).secrets(secrets);
        return (useCache ? request : request.withoutCache()).build();
    }

    private Execution start(String name, Map<String, String> files, boolean useCache, Map<String, byte[]> secrets)
            throws Exception {
        var request = builds.of(name, files).secrets(secrets);
        return (useCache ? request : request.withoutCache()).start();
    }

    private String run(String image, String... command) throws Exception {
        var result = host.request(command).image(image).run();
        assertThat(result.stderr()).isEmpty();
        return result.stdout();
    }

    private static void succeeded(Told told) {
        told.succeeded();
    }

    @Test
    void makesAnImageThatRuns() throws Exception {
        var told = build(
                "first",
                Map.of(
                        "Dockerfile",
                        "FROM bb\nENV A=b\nRUN echo made >/made; echo hello\nCOPY data /srv/\nCMD [\"sh\", \"-c\", \"cat"
                                + " /made /srv/data; echo $A $BASE\"]\n",
                        "data",
                        "copied\n"));
        succeeded(told);
        assertThat(told.output()).containsPattern("(?m)^\\[.*\\] hello$");
        assertThat(run("first")).isEqualTo("made\ncopied\nb yes\n");
    }

    @Test
    void endsWhatPrintsMoreThanItMay() throws Exception {
        var few = new Limits(64 << 20, 0, 64, Duration.ofMinutes(1), 100_000, 16 << 20);
        for (var recipe : List.of("RUN yes\n", "RUN yes | head -c 20000\nRUN yes no | head -c 20000\n")) {
            var files = Map.of("Dockerfile", "FROM bb\n" + recipe);
            var told = builds.of("loud", files).limits(few).build();
            assertThat(told.ending().outcome()).as("%s", told.events()).isEqualTo(new Outcome.OutputLimit());
            assertThat(told.output()).hasSizeLessThan(200_000);
        }
    }

    @Test
    void doesNothingTwice() throws Exception {
        var files = Map.of("Dockerfile", "FROM bb\nRUN echo 1 >/one\nCOPY f /f\nRUN cat /f >/two\n", "f", "x");
        var first = build("twice", files);
        succeeded(first);
        assertThat(first.steps(Kind.DONE)).hasSize(3);
        var second = build("twice", files);
        assertThat(second.steps(Kind.CACHED)).hasSize(3);
        assertThat(second.digest()).isEqualTo(first.digest());
        var other = build(
                "twice", Map.of("Dockerfile", "FROM bb\nRUN echo 1 >/one\nCOPY f /f\nRUN cat /f >/two\n", "f", "y"));
        assertThat(other.steps(Kind.CACHED)).hasSize(1);
        assertThat(run("twice", "cat", "/two")).isEqualTo("y");
    }

    @Test
    void givesTheSameImageForTheSameInput() throws Exception {
        var files = Map.of(
                "Dockerfile",
                "FROM bb\nCOPY . /app\nRUN mkdir /d && touch /d/b /d/a && ln /d/a /d/c && ln -s a /d/l\n",
                "x/y",
                "1",
                "z",
                "2");
        var first = build("same", files, false, Map.of());
        succeeded(first);
        Thread.sleep(1_100);
        assertThat(build("same", files, false, Map.of()).digest()).isEqualTo(first.digest());
    }

    @Test
    void keepsOwnersModesLinksAndWhatWasRemoved() throws Exception {
        var told = build("tree", Map.of("Dockerfile", """
                        FROM bb
                        RUN busybox mkdir -p /d/sub && echo old >/d/old && echo x >/d/sub/x && echo gone >/gone
                        RUN busybox rm /gone && busybox rm -r /d/sub && busybox mkdir /d/sub && echo y >/d/sub/y \\
                         && echo own >/own && busybox chown 1000:2000 /own && busybox chmod 4750 /own \\
                         && busybox ln /own /hard && busybox ln -s own /soft
                        """));
        succeeded(told);
        assertThat(run("tree", "sh", "-c", "ls / /d /d/sub; stat -c '%u:%g %a %h' /own; cat /soft"))
                .doesNotContain("gone")
                .contains("old\nsub")
                .contains("y\n")
                .doesNotContain("\nx\n")
                .contains("1000:2000 4750 2")
                .endsWith("own\n");
    }

    @Test
    void whatIsMadeAnewIsThere() throws Exception {
        succeeded(build("anew", Map.of("Dockerfile", """
                        FROM bb
                        RUN busybox mkdir -p /d/sub && echo x >/d/sub/f
                        RUN busybox rm -rf /d && busybox mkdir -p /d/sub
                        """)));
        assertThat(run("anew", "sh", "-c", "ls /d; ls /d/sub")).isEqualTo("sub\n");
    }

    @Test
    void whatABlockRemovedStaysAway() throws Exception {
        succeeded(build("away", Map.of("MiniBox", """
                        BASE bb
                        BLOCK one
                            RUN busybox mkdir /x; echo s >/x/secret
                        BLOCK two
                            NEED one
                            RUN busybox rm -rf /x; touch /x
                            RUN busybox rm /x; busybox mkdir /x
                        START sh -c ls
                        """)));
        assertThat(run("away", "ls", "/x")).isEmpty();
    }

    @Test
    void copiesFromStages() throws Exception {
        succeeded(build("staged", Map.of("Dockerfile", """
                        FROM bb AS build
                        RUN busybox mkdir /out && echo built >/out/program
                        FROM scratch
                        COPY --from=bb /bin /bin
                        COPY --from=build --chown=5:6 --chmod=600 /out/ /srv
                        """)));
        assertThat(run("staged", "/bin/sh", "-c", "/bin/stat -c '%u:%g %a' /srv/program; /bin/cat /srv/program"))
                .isEqualTo("5:6 600\nbuilt\n");
    }

    @Test
    void endsAsTheCommandThatFailed() throws Exception {
        var told = build("never", Map.of("Dockerfile", "FROM bb\nRUN echo why >&2; exit 7\n"));
        assertThat(told.ending().outcome()).isEqualTo(new Outcome.Exited(7));
        assertThat(told.output()).contains("why");
        assertThat(told.events())
                .anyMatch(event -> event.kind() == Kind.FAILED && event.text().contains("line 2"));
        assertThat(host.images().find(TENANT, new ImageReference("never"))).isEmpty();
    }

    @Test
    void saysThatDevicesCannotBeMade() throws Exception {
        var told = build("device", Map.of("Dockerfile", "FROM bb\nRUN busybox mknod /x c 1 3\n"));
        assertThat(told.ending().outcome()).isEqualTo(new Outcome.Exited(1));
        assertThat(told.events()).anyMatch(event -> event.text().contains("device nodes"));
    }

    @Test
    void givesSecretsToCommandsAndToNothingElse() throws Exception {
        var files = Map.of(
                "Dockerfile",
                "FROM bb\nRUN --mount=type=secret,id=key cat /run/secrets/key | busybox wc -c; echo done >/done\n");
        var told = build("secret", files, true, Map.of("key", "hunter22".getBytes(StandardCharsets.UTF_8)));
        succeeded(told);
        assertThat(told.output()).contains("] 8\n").doesNotContain("hunter22");
        assertThat(run("secret", "sh", "-c", "ls /")).contains("done").doesNotContain("run");
        assertThat(holds(host.dataDir(), "hunter22")).isEmpty();
        var other = build("secret", files, true, Map.of("key", "different".getBytes(StandardCharsets.UTF_8)));
        assertThat(other.steps(Kind.CACHED)).hasSize(1);
    }

    private static List<Path> holds(Path directory, String word) throws Exception {
        try (var all = Files.walk(directory)) {
            var found = new ArrayList<Path>();
            for (var file : all.filter(Files::isRegularFile).toList()) {
                if (new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1).contains(word)) {
                    found.add(file);
                }
            }
            return found;
        }
    }

    @Test
    void cachesStayBetweenBuildsAndAreNoLayer() throws Exception {
        var recipe = "FROM bb\nRUN --mount=type=cache,target=/cache echo %s >>/cache/log; cat /cache/log >/seen\n";
        succeeded(build("cached", Map.of("Dockerfile", recipe.formatted("one"))));
        succeeded(build("cached", Map.of("Dockerfile", recipe.formatted("two"))));
        assertThat(run("cached", "sh", "-c", "cat /seen; ls /"))
                .startsWith("one\ntwo\n")
                .doesNotContain("cache");
    }

    @Test
    void bindsWhatIsNotCopied() throws Exception {
        succeeded(build(
                "bound",
                Map.of(
                        "Dockerfile",
                        "FROM bb\nRUN --mount=type=bind,target=/src cat /src/in >/out && ls /src >/list\n",
                        "in",
                        "text\n")));
        assertThat(run("bound", "sh", "-c", "cat /out; ls /"))
                .startsWith("text\n")
                .doesNotContain("src");
    }

    @Test
    void severalStepsOfABlockAreOneLayer() throws Exception {
        succeeded(build("boxed", Map.of("MiniBox", """
                        BASE bb
                        BLOCK one
                            RUN echo a >/a
                            COPY f /f
                            RUN busybox rm /a; cat /f >/b
                        BLOCK two
                            NEED one
                            RUN cat /b >/c
                        START sh -c ls
                        """, "f", "file\n")));
        var image = host.images().find(TENANT, new ImageReference("boxed")).orElseThrow();
        assertThat(image.config().origin().diffIds()).hasSize(3);
        assertThat(run("boxed", "sh", "-c", "cat /c; ls /"))
                .startsWith("file\n")
                .doesNotContain("\na\n");
    }

    @Test
    void cancelsAtOnceAndLeavesNothing() throws Exception {
        var execution = start("cancelled", Map.of("Dockerfile", "FROM bb\nRUN echo up; sleep 60\n"), true, Map.of());
        execution.read(0, true, new Awaited(execution));
        var began = System.nanoTime();
        var ending = execution.await();
        assertThat(ending.outcome()).isEqualTo(new Outcome.Cancelled("api"));
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(30));
        execution.close();
        assertThat(host.images().find(TENANT, new ImageReference("cancelled"))).isEmpty();
        try (var left = Files.list(host.dataDir().resolve("sandboxes"))) {
            assertThat(left.filter(Files::isDirectory)).isEmpty();
        }
        try (var left = Files.list(host.dataDir().resolve("builds/scratch"))) {
            assertThat(left).isEmpty();
        }
    }

    /// Cancels as soon as the command has printed something.
    private record Awaited(Execution execution) implements dev.bobbin.runner.OutputSink {
        @Override
        public void accept(Output output) {
            if (output instanceof Output.Bytes) {
                execution.cancel("api");
            }
        }
    }

    @Test
    void pruningNeverBreaksAnImage() throws Exception {
        var files = Map.of("Dockerfile", "FROM bb AS a\nRUN echo a >/a\nFROM bb\nCOPY --from=a /a /a\n");
        succeeded(build("pruned", files));
        var cache = host.runtime().builds().cache();
        assertThat(cache.usage().entries()).isPositive();
        cache.prune(Duration.ZERO);
        host.images().prune(new PrunePolicy(null, null));
        assertThat(cache.usage().entries()).isZero();
        assertThat(run("pruned", "cat", "/a")).isEqualTo("a\n");
        succeeded(build("pruned", files));
    }

    /// A look, not a measurement: other work may have the processors.
    @Test
    void aCachedBuildRunsNothing() throws Exception {
        var files = Map.of("Dockerfile", "FROM bb\nRUN echo 1 >/one\nRUN echo 2 >/two\n");
        succeeded(build("quick", files));
        var sandboxes = host.live();
        var micros = new ArrayList<Long>();
        for (var round = 0; round < 30; round++) {
            var began = System.nanoTime();
            var told = build("quick", files);
            micros.add((System.nanoTime() - began) / 1_000);
            assertThat(told.steps(Kind.CACHED)).hasSize(2);
        }
        micros.sort(null);
        System.out.println("cached build of two blocks: p10 " + micros.get(3) + " µs, p50 " + micros.get(15) + " µs");
        sandboxes.assertNothingMore(Duration.ofSeconds(10));
    }

    @Test
    void refusesWhatCannotBe() {
        assertThatThrownBy(() -> build("bad", Map.of("Dockerfile", "FROM bb\nFLY away\n")))
                .isInstanceOf(BuildException.class)
                .extracting(e -> ((BuildException) e).line())
                .isEqualTo(2);
        assertThatThrownBy(() -> build("bad", Map.of("Dockerfile", "FROM nobody/has:this\n")))
                .isInstanceOf(BuildException.class)
                .hasMessageContaining("nobody/has:this");
    }

    @Test
    void neverFollowsLinksOutOfTheImage() throws Exception {
        var secret = Files.createTempFile("outside", "");
        Files.writeString(secret, "outside");
        try {
            var told = build(
                    "escape",
                    Map.of(
                            "Dockerfile",
                            "FROM bb AS a\nRUN busybox ln -s " + secret + " /link && busybox ln -s "
                                    + secret.getParent() + " /dir\nFROM bb\nCOPY --from=a /link /got\n"));
            assertThat(told.ending().outcome()).isEqualTo(new Outcome.Exited(1));
            var into = build(
                    "into",
                    Map.of(
                            "Dockerfile",
                            "FROM bb\nRUN busybox ln -s " + secret.getParent() + " /dir\nCOPY f /dir/"
                                    + secret.getFileName() + "\n",
                            "f",
                            "inside"));
            succeeded(into);
            assertThat(secret).hasContent("outside");
            assertThat(Digest.sha256(Files.readString(secret))).isEqualTo(Digest.sha256("outside"));
        } finally {
            Files.delete(secret);
        }
    }
}
