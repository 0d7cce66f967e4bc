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
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
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
    private final JobEnd end;
    private final FileOutputStream stdout = new FileOutputStream(FileDescriptor.out);
    private final FileOutputStream stderr = new FileOutputStream(FileDescriptor.err);
    private final Set<String> told = ConcurrentHashMap.newKeySet();
    private boolean feeding;
    private volatile @Nullable String id;
    private volatile boolean readerGone;
    private volatile boolean left;
    private volatile int codeOfLeaving = RunCommand.NOTHING_RAN;

    /// @param timeLimit the limit that was asked for, to be named when it passes
    JobClient(Path socket, HttpConnection connection, @Nullable String timeLimit) {
        this.socket = socket;
        this.connection = connection;
        this.end = new JobEnd(timeLimit);
    }

    /// Posts the job to `path`, follows it, and gives the exit code of this command.
    int run(String path, Map<String, Object> request, boolean feedStdin, boolean asJson) {
        var watch = OutputWatch.start(this::readerGone);
        try {
            var body = Json.write(request).getBytes(StandardCharsets.UTF_8);
            // The id, which standard input is sent to, comes before the end only in front of a stream.
            var answer = connection.post(path, JSON, asJson && !feedStdin ? JSON : NDJSON, body);
            if (answer.status() != 200) {
                return end.refused(answer.text());
            }
            id = answer.header("bobbin-job-id").orElse(null);
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

    /// Passes on what is printed, from now until the end or until what is there now, and gives the exit code of this
    /// command.
    int show(String path) {
        var watch = OutputWatch.start(this::readerGone);
        try {
            var answer = connection.ask("GET", path, NDJSON);
            if (answer.status() != 200) {
                end.refused(answer.text());
                return 1;
            }
            follow(answer, stdout, stderr);
            return 0;
        } catch (IOException | IllegalArgumentException failed) {
            broken(failed);
            return readerGone ? READER_GONE : 1;
        } finally {
            watch.close();
        }
    }

    /// Sends the job's process a signal. A job that is not known yet, or was told the same before, is given up.
    void signal(String name, int number) {
        var known = id;
        if (known == null || !told.add(name)) {
            codeOfLeaving = 128 + number;
            leave();
            return;
        }
        try (var other = HttpConnection.connect(socket)) {
            var body = Json.write(Map.of("signal", name)).getBytes(StandardCharsets.UTF_8);
            other.post("/v1/jobs/" + known + "/kill", JSON, JSON, body).text();
        } catch (IOException _) {
            // the server has gone: the output's connection tells it
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
        return end.ended(followToEnd(answer, out, err));
    }

    /// Passes the streams on until the job's end, and gives the last frame.
    private Map<String, @Nullable Object> followToEnd(HttpConnection.Answer answer, OutputStream out, OutputStream err)
            throws IOException {
        var last = follow(answer, out, err);
        if (last == null) {
            throw new IOException("the server closed the connection before the job's end");
        }
        return last;
    }

    /// Passes the streams on until the end of the answer, and gives the last frame if that is the job's.
    private @Nullable Map<String, @Nullable Object> follow(
            HttpConnection.Answer answer, OutputStream out, OutputStream err) throws IOException {
        var lines = new BufferedReader(new InputStreamReader(answer.body(), StandardCharsets.UTF_8), 32 * 1024);
        var display = TransferDisplay.forPeople();
        for (var line = lines.readLine(); line != null; line = lines.readLine()) {
            var frame = Json.object(line);
            switch (String.valueOf(frame.get("type"))) {
                case "progress" -> display.show(frame);
                case "started" -> started(frame, display);
                case "stdout" -> write(out, bytes(frame));
                case "stderr" -> write(err, bytes(frame));
                case "gap" -> end.say(frame.get("bytes") + " bytes of " + frame.get("stream") + " were lost");
                case "ended" -> {
                    display.close();
                    return frame;
                }
                default -> {
                    // what a newer server adds
                }
            }
        }
        return null;
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
        var last = followToEnd(answer, out, err);
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
        return end.ended(last);
    }

    private int result(String body) throws IOException {
        write(stdout, (body.strip() + "\n").getBytes(StandardCharsets.UTF_8));
        return end.ended(Json.object(body));
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

    private int broken(Exception failed) {
        if (readerGone) {
            return READER_GONE;
        }
        if (!left) {
            end.say("the server broke off: " + failed.getMessage());
        }
        return codeOfLeaving;
    }
}
