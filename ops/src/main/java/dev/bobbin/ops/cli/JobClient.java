package dev.bobbin.ops.cli;

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// One job as the command line sees it: posts it, passes its streams on as they come, and tells how it ended. Leaving
/// the connection before the end cancels the job.
final class JobClient implements AutoCloseable {
    /// 128 + SIGPIPE, what a shell reports for a program whose reader went away.
    private static final int READER_GONE = 141;

    private static final String NDJSON = "application/x-ndjson";
    private static final String JSON = "application/json";

    private final Path socket;
    private final HttpConnection connection;
    private final @Nullable String timeLimit;
    private final FileOutputStream stdout = new FileOutputStream(FileDescriptor.out);
    private final FileOutputStream stderr = new FileOutputStream(FileDescriptor.err);
    private boolean feeding;
    private volatile boolean readerGone;
    private volatile boolean left;

    /// @param timeLimit the limit that was asked for, to be named when it passes
    JobClient(Path socket, HttpConnection connection, @Nullable String timeLimit) {
        this.socket = socket;
        this.connection = connection;
        this.timeLimit = timeLimit;
    }

    /// Runs the job and gives the exit code of this command.
    int run(Map<String, Object> request, boolean feedStdin, boolean asJson) {
        var watch = OutputWatch.start(this::readerGone);
        try {
            var body = Json.write(request).getBytes(StandardCharsets.UTF_8);
            // The id, which standard input is sent to, comes before the end only in front of a stream.
            var answer = connection.post("/v1/run", JSON, asJson && !feedStdin ? JSON : NDJSON, body);
            if (answer.status() != 200) {
                return refused(answer.text());
            }
            feeding = feedStdin;
            if (asJson) {
                return feedStdin ? collect(answer) : result(answer.text());
            }
            return stream(answer, stdout, stderr);
        } catch (IOException | IllegalArgumentException failed) {
            return broken(failed);
        } finally {
            watch.close();
        }
    }

    /// Gives the job up: the server ends it when this connection is gone.
    void leave() {
        left = true;
        close();
    }

    @Override
    public void close() {
        try {
            connection.close();
        } catch (IOException _) {
            // nothing is expected of this connection any more
        }
    }

    private void readerGone() {
        readerGone = true;
        close();
    }

    private int stream(HttpConnection.Answer answer, OutputStream out, OutputStream err) throws IOException {
        return ended(follow(answer, out, err));
    }

    /// Passes the streams on until the end, and gives the last frame.
    private Map<String, @Nullable Object> follow(HttpConnection.Answer answer, OutputStream out, OutputStream err)
            throws IOException {
        var lines = new BufferedReader(new InputStreamReader(answer.body(), StandardCharsets.UTF_8), 32 * 1024);
        var display = TransferDisplay.forPeople();
        for (var line = lines.readLine(); line != null; line = lines.readLine()) {
            var frame = Json.object(line);
            switch (String.valueOf(frame.get("type"))) {
                case "progress" -> display.show(frame);
                case "started" -> started(frame, display);
                case "stdout" -> write(out, bytes(frame));
                case "stderr" -> write(err, bytes(frame));
                case "gap" -> say(frame.get("bytes") + " bytes of " + frame.get("stream") + " were lost");
                case "ended" -> {
                    display.close();
                    return frame;
                }
                default -> {
                    // what a newer server adds
                }
            }
        }
        throw new IOException("the server closed the connection before the job's end");
    }

    /// A job takes standard input from then on; before it there may have been an image to bring.
    private void started(Map<String, @Nullable Object> frame, TransferDisplay display) {
        display.close();
        if (feeding && frame.get("id") instanceof String id) {
            StdinPump.start(socket, id);
        }
    }

    /// Makes from a stream what the server would have answered at once.
    private int collect(HttpConnection.Answer answer) throws IOException {
        var out = new InlineOutput();
        var err = new InlineOutput();
        var last = follow(answer, out, err);
        var result = new LinkedHashMap<String, Object>();
        last.forEach((name, value) -> {
            if (value != null && !Set.of("type", "at", "time").contains(name)) {
                result.put(name, value);
            }
        });
        out.putInto(result, "stdout");
        err.putInto(result, "stderr");
        result.put("truncated", out.isTruncated() || err.isTruncated());
        write(stdout, (Json.write(result) + "\n").getBytes(StandardCharsets.UTF_8));
        return ended(last);
    }

    private int result(String body) throws IOException {
        write(stdout, (body.strip() + "\n").getBytes(StandardCharsets.UTF_8));
        return ended(Json.object(body));
    }

    private static byte[] bytes(Map<String, @Nullable Object> frame) {
        return frame.get("data_base64") instanceof String encoded
                ? Base64.getDecoder().decode(encoded)
                : String.valueOf(frame.get("data")).getBytes(StandardCharsets.UTF_8);
    }

    private void write(OutputStream stream, byte[] bytes) throws IOException {
        try {
            stream.write(bytes);
        } catch (IOException gone) {
            readerGone = true;
            throw gone;
        }
    }

    private int ended(Map<String, @Nullable Object> answer) {
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

    private int refused(String body) {
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

    private int broken(Exception failed) {
        if (readerGone) {
            return READER_GONE;
        }
        if (!left) {
            say("the server broke off: " + failed.getMessage());
        }
        return RunCommand.NOTHING_RAN;
    }

    private void say(String sentence) {
        try {
            stderr.write(("bobbin: " + sentence + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException _) {
            // nobody listens
        }
    }
}
