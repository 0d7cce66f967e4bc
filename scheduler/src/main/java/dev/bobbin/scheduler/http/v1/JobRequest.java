package dev.bobbin.scheduler.http.v1;

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

    static JobRequest read(byte[] body) {
        var reading = new Reading();
        JsonInput.readObject(body, FIELDS, reading::field);
        if (reading.work == null) {
            throw Rejected.invalid("run", "run: say what to do, either run or exec");
        }
        return reading.work;
    }

    /// What was read so far.
    final class Reading {
        private @Nullable JobRequest work;

        private void field(String name, JsonInput value) throws IOException {
            switch (name) {
                case "run" -> is(new Run(RunRequest.readDetached(value)), name);
                case "exec" -> is(new Exec(ExecRequest.readDetached(value)), name);
                default -> throw JobInput.notOffered(value);
            }
        }

        private void is(JobRequest asked, String name) {
            if (work != null) {
                throw Rejected.invalid(name, name + ": a job is either run or exec, and not both");
            }
            work = asked;
        }
    }
}
