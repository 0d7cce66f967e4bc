package dev.bobbin.ops.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What a person is told at the end of a job, on standard error.
final class JobEnd {
    private final @Nullable String timeLimit;
    private final FileOutputStream stderr = new FileOutputStream(FileDescriptor.err);

    /// @param timeLimit the limit that was asked for, to be named when it passes
    JobEnd(@Nullable String timeLimit) {
        this.timeLimit = timeLimit;
    }

    /// Says how it ended, unless as usual, and gives the exit code of a command that ends as the job did.
    int ended(Map<String, @Nullable Object> answer) {
        if (!(answer.get("outcome") instanceof Map<?, ?> outcome)) {
            return refused(answer);
        }
        explain(outcome).ifPresent(this::say);
        return outcome.get("exit_code") instanceof Number code && code.intValue() >= 0
                ? code.intValue()
                : RunCommand.NOTHING_RAN;
    }

    /// One sentence on any end that was not the program's own.
    private Optional<String> explain(Map<?, ?> outcome) {
        var cause = String.valueOf(outcome.get("cause"));
        return switch (cause) {
            case "exited" -> Optional.empty();
            case "killed" -> Optional.of("killed by " + outcome.get("signal"));
            case "out_of_memory" -> Optional.of("out of memory: the limit is --memory");
            case "timed_out" -> Optional.of("timed out after " + (timeLimit == null ? "its time limit" : timeLimit));
            case "output_limit" -> Optional.of("ended since it wrote more than its output limit");
            case "cancelled" -> Optional.of("cancelled by " + outcome.get("by"));
            default -> Optional.of(outcome.get("detail") instanceof String detail ? detail : cause.replace('_', ' '));
        };
    }

    /// Says why there is no job, as the body of an answer tells it.
    int refused(String body) {
        try {
            return refused(Json.object(body));
        } catch (IllegalArgumentException _) {
            return refused(Map.of("detail", body.isBlank() ? "the server refused without a reason" : body.strip()));
        }
    }

    private int refused(Map<String, ? extends @Nullable Object> problem) {
        var detail = problem.get("detail") instanceof String text ? text : problem.get("code");
        say(String.valueOf(detail));
        return RunCommand.NOTHING_RAN;
    }

    /// Says something of this command's own.
    void say(String sentence) {
        try {
            stderr.write(("bobbin: " + Terminal.ERR.fit(sentence) + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException _) {
            // nobody listens
        }
    }
}
