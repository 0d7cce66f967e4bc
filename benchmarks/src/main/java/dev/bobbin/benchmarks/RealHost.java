package dev.bobbin.benchmarks;

import dev.bobbin.image.ImageReference;
import dev.bobbin.image.store.ImageStore;
import dev.bobbin.image.store.StoreConfig;
import dev.bobbin.runner.Command;
import dev.bobbin.runner.Isolation;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Stdin;
import dev.bobbin.runner.host.HostConfig;
import dev.bobbin.runner.host.HostRuntime;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/// A real host in directories of its own; closing it leaves nothing.
final class RealHost implements AutoCloseable {
    final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    final HostRuntime runtime;
    private final Path directory;
    final ImageStore images;

    RealHost(int pool) throws IOException {
        directory = Files.createTempDirectory("bobbin-jmh");
        var data = directory.resolve("data");
        images = ImageStore.open(data.resolve("images"), StoreConfig.DEFAULT, meters);
        runtime = HostRuntime.open(
                new HostConfig(
                        data,
                        directory.resolve("run"),
                        pool,
                        null,
                        HostConfig.DEFAULT_KEEP_ENDED,
                        HostConfig.DEFAULT_KEEP_ENDED_BYTES,
                        true),
                images,
                meters);
    }

    /// The machine's `true`, in the image `host`.
    static Job.Run runOfTrue() {
        return new Job.Run(
                JobId.next(),
                "default",
                ImageReference.HOST,
                Command.of(List.of("/usr/bin/true")),
                new Stdin.Empty(),
                List.of(),
                Limits.DEFAULT,
                Job.OnDisconnect.KILL,
                Job.OutputPolicy.KILL,
                Map.of(),
                List.of(),
                Isolation.USUAL,
                null);
    }

    @Override
    public void close() throws IOException {
        runtime.close();
        images.close();
        try (var files = Files.walk(directory)) {
            for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
