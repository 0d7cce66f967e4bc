package dev.bobbin.ops.cli;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A job's terminal in this command's own: keys go there, what it shows comes here. The terminal here is made what it
/// was on every way out.
final class TerminalClient implements AutoCloseable {
    private static final int PIECE = 16 * 1024;
    private static final String JSON = "application/json";
    /// Some time after the end of the stream the end of the job must be known.
    private static final String UNTIL_ENDED = "?wait=10s";

    /// A server that has been asked for a job answers soon; whoever leaves before waits for it, to end the job.
    private static final int ANSWER_SECONDS = 3;

    private final Path socket;
    private final HttpConnection connection;
    private final LocalTerminal local = new LocalTerminal();
    private final JobEnd end;
    private final FileOutputStream stdout = new FileOutputStream(FileDescriptor.out);
    private final CountDownLatch answered = new CountDownLatch(1);
    private volatile @Nullable String id;
    private volatile boolean ours;
    private volatile boolean detached;

    /// @param timeLimit the limit that was asked for, to be named when it passes
    TerminalClient(Path socket, HttpConnection connection, @Nullable String timeLimit) {
        this.socket = socket;
        this.connection = connection;
        this.end = new JobEnd(timeLimit);
    }

    /// The size here, as a request says it.
    Map<String, Object> size() {
        return local.size();
    }

    /// Posts the job to `path`, and gives the exit code of this command once it has ended or is left.
    ///
    /// @param keys those that leave it; `null` if nothing is typed
    int start(String path, Map<String, Object> request, @Nullable DetachKeys keys) {
        ours = true;
        return show("POST", path, Json.write(request).getBytes(StandardCharsets.UTF_8), keys);
    }

    /// Shows a job that runs, from now on.
    int attach(String job, @Nullable DetachKeys keys) {
        return show("GET", "/v1/jobs/" + job + "/terminal?from=end", new byte[0], keys);
    }

    private int show(String method, String path, byte[] body, @Nullable DetachKeys keys) {
        try {
            var answer = connection.upgrade(method, path, body);
            if (answer.status() != 101) {
                return end.refused(answer.text());
            }
            id = answer.header("bobbin-job-id").orElseThrow();
            answered.countDown();
            follow(answer, keys);
        } catch (IOException failed) {
            // the server has gone, or whoever read us: a job tells which
            if (id == null) {
                end.say("the server broke off: " + failed.getMessage());
                return RunCommand.NOTHING_RAN;
            }
        } finally {
            answered.countDown();
            local.restore();
        }
        return leaving();
    }

    private void follow(HttpConnection.Answer answer, @Nullable DetachKeys keys) throws IOException {
        if (keys != null) {
            local.makeRaw();
            Signals.on("CONT", local::makeRawAgain);
            // A platform thread: reading a terminal holds it.
            Thread.ofPlatform().daemon().name("bobbin-keys").start(() -> type(keys));
        }
        Signals.on("WINCH", () -> resize(local.size()));
        if (!ours) {
            redraw();
        }
        var buffer = new byte[PIECE];
        for (var count = answer.body().read(buffer);
                count >= 0;
                count = answer.body().read(buffer)) {
            stdout.write(buffer, 0, count);
        }
    }

    /// Programs that draw the whole terminal do that again when its size changes, so it changes twice.
    private void redraw() {
        var size = local.size();
        if (size.get("rows") instanceof Integer rows && size.get("columns") instanceof Integer columns) {
            resize(Map.of("rows", rows + 1, "columns", columns));
            resize(size);
        }
    }

    private void type(DetachKeys keys) {
        var in = new FileInputStream(FileDescriptor.in); // stays open: the terminal is restored through it
        try {
            var buffer = new byte[PIECE];
            for (var count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                connection.write(keys.pass(Arrays.copyOf(buffer, count)));
                if (keys.isComplete()) {
                    detached = true;
                    close();
                    return;
                }
            }
        } catch (IOException _) {
            // the job has ended, or the server: the other direction tells which
        }
    }

    private void resize(Map<String, Object> size) {
        var job = id;
        if (job != null && !size.isEmpty()) {
            tell("/v1/jobs/" + job + "/resize", size);
        }
    }

    private void tell(String path, Map<String, ?> what) {
        try (var other = HttpConnection.connect(socket)) {
            other.post(path, JSON, JSON, Json.write(what).getBytes(StandardCharsets.UTF_8))
                    .text();
        } catch (IOException _) {
            // the server has gone: the terminal's connection tells it
        }
    }

    private int leaving() {
        var job = String.valueOf(id);
        if (detached) {
            end.say("left it running; \"bobbin attach " + job + "\" comes back to it");
            return 0;
        }
        try (var other = HttpConnection.connect(socket)) {
            var state = Json.object(other.ask("GET", "/v1/jobs/" + job + UNTIL_ENDED, JSON)
                    .accepted()
                    .text());
            if ("ended".equals(state.get("state"))) {
                ours = false;
                return end.ended(state);
            }
            end.say("the server ended this connection, the job goes on; \"bobbin attach " + job
                    + "\" comes back to it");
        } catch (RefusedException refused) {
            end.say(String.valueOf(refused.getMessage()));
        } catch (IOException | IllegalArgumentException failed) {
            end.say("the server broke off (" + failed.getMessage() + "); if the job goes on, \"bobbin attach " + job
                    + "\" comes back to it");
        }
        ours = false;
        return RunCommand.NOTHING_RAN;
    }

    /// Leaves on a way out that nobody asked for, as when the terminal's window is closed: a job that was started here
    /// ends with it. Does nothing after an end or a detaching.
    void leave() {
        local.restore();
        if (!ours || detached) {
            return;
        }
        try {
            if (answered.await(ANSWER_SECONDS, TimeUnit.SECONDS) && id != null) {
                tell("/v1/jobs/" + id + "/cancel", Map.of());
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        try {
            connection.close();
        } catch (IOException _) {
            // nothing is expected of this connection any more
        }
    }
}
