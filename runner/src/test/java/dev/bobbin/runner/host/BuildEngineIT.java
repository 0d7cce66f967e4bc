package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.image.ImageReference;
import dev.bobbin.image.TestImages;
import dev.bobbin.image.store.PrunePolicy;
import dev.bobbin.runner.BuildEvent.Kind;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.build.BuildConfig;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/// What the engine of builds keeps, shares, hides and bounds.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
class BuildEngineIT {
    private TestHost host;
    private TestBuilds builds;

    @BeforeAll
    void open() throws Exception {
        host = TestHost.open(2);
        builds = new TestBuilds(host);
    }

    @AfterAll
    void close() throws Exception {
        host.images().prune(new PrunePolicy(Duration.ZERO, null));
        host.close();
    }

    private String run(String image, String... command) throws Exception {
        var result = host.request(command).image(image).run();
        assertThat(result.stderr()).isEmpty();
        return result.stdout();
    }

    @Test
    void whatABlockMadeAnewHidesWhatWasBelow() throws Exception {
        builds.of("opaque", Map.of("MiniBox", """
                        BASE bb
                        BLOCK one
                            RUN busybox mkdir -p /d/sub; echo o >/d/old; echo o >/d/sub/old
                        BLOCK two
                            NEED one
                            RUN echo n >/d/new
                            RUN busybox rm -rf /d; busybox mkdir -p /d/sub; echo n >/d/sub/new
                            RUN echo m >/d/more
                        START sh
                        """)).build().succeeded();
        assertThat(run("opaque", "sh", "-c", "cd /d && echo * sub/*")).isEqualTo("more sub sub/new\n");
        var layers = host.images()
                .find(TestBuilds.TENANT, new ImageReference("opaque"))
                .orElseThrow()
                .config()
                .origin()
                .diffIds();
        assertThat(layers).as("one of the base, one of each block").hasSize(3);
    }

    @Test
    void linkedCopiesDependOnNothingBeneath() throws Exception {
        var recipe = "RUN busybox ln -s /bin /dir; echo %s >/own\nCOPY --link f /dir/f\n";
        var first = builds.of("linked", Map.of("Dockerfile", "FROM bb\n" + recipe.formatted("a"), "f", "x"))
                .build()
                .succeeded();
        assertThat(first.steps(Kind.CACHED)).isEmpty();
        var second = builds.of("linked", Map.of("Dockerfile", "FROM bb\n" + recipe.formatted("b"), "f", "x"))
                .build()
                .succeeded();
        assertThat(second.steps(Kind.CACHED)).singleElement().asString().contains("COPY --link");
        assertThat(run("linked", "sh", "-c", "ls /dir; cat /own; ls /bin/f 2>&1 | busybox wc -l"))
                .isEqualTo("f\nb\n1\n");
        assertThat(run("linked", "sh", "-c", "test -h /dir || echo directory")).isEqualTo("directory\n");
    }

    @Test
    void whoWaitsForACacheKeepsNobodyFromWorking() throws Exception {
        var open = new ArrayList<Execution>();
        var begun = new CountDownLatch(1);
        try {
            for (var number = 0; number <= BuildConfig.DEFAULT.parallel(); number++) {
                var recipe = "FROM bb\nRUN --mount=type=cache,target=/c,sharing=locked echo begun " + number
                        + "; sleep 600\n";
                var execution = builds.of("waiting" + number, recipe).start();
                open.add(execution);
                Thread.ofVirtual()
                        .start(() -> TestBuilds.Told.watch(execution, output -> {
                            if (output instanceof Output.Bytes) {
                                begun.countDown();
                            }
                        }));
            }
            begun.await();
            builds.of("free", "FROM bb\nRUN echo free >/free\n").build().succeeded();
        } finally {
            for (var execution : open) {
                execution.cancel("api");
                execution.await();
                execution.close();
            }
        }
    }

    @Test
    void mountedCachesGoWithTheCacheAndOutliveAServer() throws Exception {
        var recipe = "FROM bb\nRUN --mount=type=cache,target=/c ls /c >/seen; echo x >/c/kept; echo %s\n";
        builds.of("mounting", recipe.formatted("one")).build().succeeded();
        host.restart();
        builds.of("mounting", recipe.formatted("two")).build().succeeded();
        assertThat(run("mounting", "cat", "/seen")).isEqualTo("kept\n");
        host.runtime().builds().prune(Duration.ofHours(1));
        builds.of("mounting", recipe.formatted("three")).build().succeeded();
        assertThat(run("mounting", "cat", "/seen")).as("used an instant ago").isEqualTo("kept\n");
        assertThat(host.runtime().builds().prune(Duration.ZERO).entries()).isPositive();
        builds.of("mounting", recipe.formatted("four")).build().succeeded();
        assertThat(run("mounting", "cat", "/seen")).isEmpty();
    }

    @Test
    void tellsTheBytesOfMountedCachesThatWerePruned() throws Exception {
        var pruned = host.runtime().builds();
        pruned.prune(TestBuilds.TENANT);
        builds.of("large", "FROM bb\nRUN --mount=type=cache,target=/c head -c 5000000 /dev/zero >/c/large\n")
                .build()
                .succeeded();
        for (var left = 1000; left > 0 && pruned.cache().usage().bytes() < 5_000_000; left--) {
            Thread.sleep(10); // they are measured aside
        }
        assertThat(pruned.prune(TestBuilds.TENANT).bytes()).isGreaterThan(5_000_000);
        assertThat(pruned.cache().usage().bytes()).isZero();
    }

    @Test
    void saysThatFilesTakeMoreThanTheDisk() throws Exception {
        var few = new Limits(64 << 20, 0, 64, Duration.ofMinutes(1), 100_000, 1 << 20);
        builds.of("large", Map.of("Dockerfile", "FROM bb\nCOPY f /f\n"))
                .file("f", TestImages.noise(1, 2 << 20))
                .limits(few)
                .build()
                .failedSaying("its files take more than the 1048576 bytes of disk");
    }

    @Test
    void keepsDevicesOfUnpackedArchives() throws Exception {
        var device = TestImages.tar().file("dev/null", "").bytes();
        device[156] = '3';
        device[336] = '3';
        System.arraycopy("0000001\0".getBytes(StandardCharsets.US_ASCII), 0, device, 329, 8);
        System.arraycopy("0000003\0".getBytes(StandardCharsets.US_ASCII), 0, device, 337, 8);
        var sum = 0;
        for (var at = 0; at < 512; at++) {
            sum += at >= 148 && at < 156 ? ' ' : device[at] & 0xff;
        }
        var text = String.format("%06o\0 ", sum).getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(text, 0, device, 148, text.length);
        builds.of("devices", Map.of("Dockerfile", "FROM bb\nADD base.tar /base/\nRUN ls -l /base/dev/null >/seen\n"))
                .file("base.tar", device)
                .build()
                .succeeded();
        assertThat(run("devices", "cat", "/seen")).startsWith("c").contains("1,   3");
    }

    @Test
    void aRefusedMountLeavesNothing() throws Exception {
        builds.of("refused", "FROM bb\nRUN --mount=type=secret,id=s --mount=type=cache,target=/proc/x true\n")
                .secrets(Map.of("s", "hidden".getBytes(StandardCharsets.UTF_8)))
                .build()
                .failedSaying("/proc");
        assertThat(names(host.dataDir().resolve("builds/scratch"))).isEmpty();
    }

    private static List<String> names(Path directory) throws Exception {
        try (var all = Files.list(directory)) {
            return all.map(file -> String.valueOf(file.getFileName())).sorted().toList();
        }
    }
}
