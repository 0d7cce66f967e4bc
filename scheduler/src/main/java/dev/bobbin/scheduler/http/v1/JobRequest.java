package dev.bobbin.scheduler.http.v1;

import dev.bobbin.runner.Limits;
import dev.bobbin.scheduler.http.exchange.JsonInput;
import dev.bobbin.scheduler.http.exchange.Rejected;
import java.io.IOException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The body of `POST /v1/jobs`: one kind of work, whose caller does not wait for it.
sealed interface JobRequest {
    /// What a job that nobody waits for may be given, offered yet or not.
    Set<String> FIELDS =
            Set.of("run", "exec", "build", "queue", "priority", "retries", "not_before", "after", "count", "callback");

    /// A command in a sandbox of its own.
    record Run(RunRequest asked) implements JobRequest {}

    /// A command in a sandbox that lasts.
    record Exec(ExecRequest asked) implements JobRequest {}

    /// An image made of a recipe and files.
    record Build(BuildInput asked) implements JobRequest {}

    /// What a body asks for.
    ///
    /// @param usualOfBuilds limits of each command of a build if nothing is said
    static JobRequest read(byte[] body, Limits usualOfBuilds) {
        var reading = new Reading(usualOfBuilds);
        JsonInput.readObject(body, FIELDS, reading::field);
        if (reading.work == null) {
            throw Rejected.invalid("run", "run: say what to do, one of run, exec and build");
        }
        return reading.work;
    }

    /// What was read so far.
    final class Reading {
        private final Limits usualOfBuilds;
        private @Nullable JobRequest work;

        private Reading(Limits usualOfBuilds) {
            this.usualOfBuilds = usualOfBuilds;
        }

        private void field(String name, JsonInput value) throws IOException {
            switch (name) {
                case "run" -> is(new Run(RunRequest.readDetached(value)), name);
                case "exec" -> is(new Exec(ExecRequest.readDetached(value)), name);
                case "build" -> is(new Build(BuildInput.readDetached(value, usualOfBuilds)), name);
                default -> throw JobInput.notOffered(value);
            }
        }

        private void is(JobRequest asked, String name) {
            if (work != null) {
                throw Rejected.invalid(name, name + ": a job is one of run, exec and build, and not two of them");
            }
            work = asked;
        }
    }
}
