package dev.bobbin.runner.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.TestImages;
import dev.bobbin.image.store.ImageStore;
import dev.bobbin.image.store.StoreConfig;
import dev.bobbin.image.store.TarFiles;
import dev.bobbin.runner.BuildEvent;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.build.recipe.RecipeLanguages;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Builds where no command can be run, whatever the reason.
@Timeout(60)
class BuilderTest {
    @TempDir
    private Path directory = Path.of("");

    private ImageStore images;

    private static final class NoMounts implements CacheMounts {
        @Override
        public List<Cache> all() {
            return List.of();
        }

        @Override
        public boolean has(Cache cache) {
            return false;
        }

        @Override
        public OptionalLong bytes(Cache cache) {
            return OptionalLong.empty();
        }

        @Override
        public boolean remove(Cache cache) {
            return true;
        }
    }

    private static final class Silence implements BuildWatcher {
        @Override
        public void happened(BuildEvent event) {}

        @Override
        public void printed(String step, Output.Stream stream, ByteBuffer data) {}
    }

    @BeforeEach
    void open() throws Exception {
        images = ImageStore.open(
                directory.resolve("images"), StoreConfig.DEFAULT.withHostImage(false), new SimpleMeterRegistry());
        var config = new ImageConfig(Map.of(), List.of(), List.of(), "root", "/");
        var layer = TestImages.tar().file("f", "x").bytes();
        images.commit("t", new ImageReference("base"), null, config, List.of(TestImages.stream(layer)));
    }

    @AfterEach
    void close() {
        images.close();
    }

    private Built build(Commands commands, String recipe) throws Exception {
        var order = new BuildOrder(
                JobId.next(),
                "t",
                new ImageReference("made"),
                true,
                Limits.DEFAULT,
                Network.NONE,
                false,
                Map.of(),
                BuildOrder.USUAL_TIME);
        try (var builder = Builder.open(
                directory.resolve("builds"),
                images,
                commands,
                new NoMounts(),
                RecipeLanguages.ALL,
                RecipeLanguages::of,
                BuildConfig.DEFAULT)) {
            var files = TestImages.tar().file("Dockerfile", recipe).bytes();
            var context = builder.receive(sink -> TarFiles.read(new ByteArrayInputStream(files), sink), _ -> {});
            try (var plan = builder.plan(new BuildRequest(order, null, null, null, Map.of()), context, _ -> {})) {
                return plan.run(new Silence());
            }
        }
    }

    @Test
    void endsWhateverFails() {
        Commands overflowing = (_, _) -> {
            throw new StackOverflowError();
        };
        assertThatThrownBy(() -> build(overflowing, "FROM base\nRUN x\nRUN y\n"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(StackOverflowError.class.getName());
        Commands cancelled = (_, _) -> {
            throw new CancellationException("by itself");
        };
        assertThatThrownBy(() -> build(cancelled, "FROM base\nRUN x\nRUN y\n"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("by itself");
    }

    @Test
    void onlyWhoMayReachesThisMachinesNetwork() {
        Commands never = (_, _) -> {
            throw new AssertionError("no command runs");
        };
        assertThatThrownBy(() -> build(never, "FROM base\nRUN --network=host x\n"))
                .isInstanceOf(BuildException.class)
                .hasMessageContaining("own network");
    }

    @Test
    void buildsWithoutACommandNeedNone() throws Exception {
        Commands never = (_, _) -> {
            throw new AssertionError("no command runs");
        };
        assertThat(build(never, "FROM base\nCOPY Dockerfile /d\n").made()).isOne();
        assertThat(build(never, "FROM base\nCOPY Dockerfile /d\n").cached()).isOne();
    }
}
