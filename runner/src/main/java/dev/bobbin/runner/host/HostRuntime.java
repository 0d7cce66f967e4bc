package dev.bobbin.runner.host;

import dev.bobbin.image.store.ImageStore;
import dev.bobbin.runner.Attempt;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.StartTimeline;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.Optional;

/// SIGNATURES ONLY for the first hour; the real one replaces this file.
@SuppressWarnings("DoNotCallSuggester")
public final class HostRuntime implements AutoCloseable {
    private HostRuntime() {}

    public static HostRuntime open(HostConfig config, ImageStore images, MeterRegistry meters) {
        throw new IllegalStateException("not yet");
    }

    public Attempt start(Job job, StartTimeline timeline) throws InterruptedException {
        throw new IllegalStateException("not yet");
    }

    public Optional<Execution> find(JobId id) {
        throw new IllegalStateException("not yet");
    }

    public HostCapacity capacity() {
        throw new IllegalStateException("not yet");
    }

    /// No new work; jobs whose caller must be present get `grace`, then end as cancelled by `shutdown`.
    public void drain(Duration grace) throws InterruptedException {}

    @Override
    public void close() {}
}
