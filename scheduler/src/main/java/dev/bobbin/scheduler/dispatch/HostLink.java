package dev.bobbin.scheduler.dispatch;

import dev.bobbin.runner.Attempt;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.StartTimeline;
import dev.bobbin.runner.host.HostRuntime;
import java.util.Optional;

/// How to reach a host.
sealed interface HostLink {

    Attempt start(Job job, StartTimeline timeline) throws InterruptedException;

    Optional<Execution> find(JobId id) throws InterruptedException;

    /// This host: a method call.
    record LocalHost(HostRuntime runtime) implements HostLink {
        @Override
        public Attempt start(Job job, StartTimeline timeline) throws InterruptedException {
            return runtime.start(job, timeline);
        }

        @Override
        public Optional<Execution> find(JobId id) throws InterruptedException {
            return runtime.find(id);
        }
    }
}
