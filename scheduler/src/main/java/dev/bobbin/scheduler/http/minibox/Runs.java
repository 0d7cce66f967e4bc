package dev.bobbin.scheduler.http.minibox;

import dev.bobbin.image.ImageException;
import dev.bobbin.image.store.Image;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.SandboxSpec;
import dev.bobbin.runner.host.LastingSandbox;
import dev.bobbin.runner.host.Sandboxes.Creation;
import dev.bobbin.scheduler.dispatch.ImageDirectory;
import dev.bobbin.scheduler.dispatch.SandboxDirectory;
import dev.bobbin.scheduler.http.exchange.Body;
import dev.bobbin.scheduler.http.exchange.Disconnects;
import dev.bobbin.scheduler.http.exchange.Exchange;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.http.exchange.Streamed;
import dev.bobbin.scheduler.http.exchange.Takeovers;
import dev.bobbin.scheduler.http.terminal.RawTerminal;
import dev.bobbin.scheduler.tenant.Caller;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/// Containers that begin: `POST /containers/run`. They last, whether somebody waits or not, until they are removed.
final class Runs {
    static final int LARGEST_REQUEST = 4 * 1024 * 1024;
    static final String RAW = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n";
    /// How long a program goes on whose client sends no more, which is when the official one has gone.
    static final Duration AFTER_INPUT = Duration.ofSeconds(10);

    private static final HeaderName NOT_APPLIED = HeaderNames.create("Bobbin-Not-Applied");

    private final SandboxDirectory sandboxes;
    private final ImageDirectory images;
    private final Neighbours neighbours;
    private final HealthChecks checks;
    private final Disconnects disconnects;
    private final Takeovers takeovers;

    Runs(
            SandboxDirectory sandboxes,
            ImageDirectory images,
            Neighbours neighbours,
            HealthChecks checks,
            Disconnects disconnects,
            Takeovers takeovers) {
        this.neighbours = neighbours;
        this.checks = checks;
        this.sandboxes = sandboxes;
        this.images = images;
        this.disconnects = disconnects;
        this.takeovers = takeovers;
    }

    void run(ServerRequest request, ServerResponse response) throws InterruptedException {
        var caller = Exchange.caller(request);
        var asked = RunRequest.read(Body.read(request, LARGEST_REQUEST));
        var config = images.find(asked.image(), caller).map(Image::config);
        var spec = asked.toSpec(caller.tenant(), config, sandboxes.largest(), sandboxes.usualPublishAddress());
        var begin = new Begin(asked, spec, caller);
        if (asked.isInteractive()) {
            throw show(begin, response);
        }
        if (!asked.notApplied().isEmpty()) {
            response.header(NOT_APPLIED, String.join(", ", asked.notApplied()));
        }
        if (asked.isDetached()) {
            Plain.text(request, response, Containers.id(begin.now()) + "\n");
        } else {
            stream(begin, response);
        }
    }

    /// A container that is about to be made.
    private final class Begin {
        private final RunRequest asked;
        private final SandboxSpec spec;
        private final Caller caller;

        Begin(RunRequest asked, SandboxSpec spec, Caller caller) {
            this.asked = asked;
            this.spec = spec;
            this.caller = caller;
        }

        /// Makes it. Several containers may have one name; the first of them is also found by it.
        LastingSandbox now() throws InterruptedException {
            var creation = sandboxes.create(spec, caller);
            if (creation instanceof Creation.Refused(var refusal) && refusal.reason() == Refusal.Reason.NAME_TAKEN) {
                creation = sandboxes.create(spec.named(null), caller);
            }
            return switch (creation) {
                case Creation.Refused(var refusal) -> throw new Rejected(Plain.problem(refusal, asked.imageName()));
                case Creation.Created(var sandbox) -> {
                    neighbours.changed(sandbox);
                    checks.watch(sandbox);
                    yield sandbox;
                }
            };
        }
    }

    /// Answers at once, and with all output as it comes; what goes wrong from then on is told behind it. A client that
    /// leaves ends the container.
    private void stream(Begin begin, ServerResponse response) throws InterruptedException {
        response.header(HeaderNames.CONTENT_TYPE, Plain.TEXT);
        var body = new Streamed(response);
        try (var watch = disconnects.watch(response, () -> {})) {
            body.open();
            var told = Tail.line(follow(begin, body, watch)).getBytes(StandardCharsets.UTF_8);
            body.write(told, 0, told.length);
            body.finish();
        } catch (Streamed.ClientGone e) {
            throw new CloseConnectionException("the client has gone", e);
        } catch (IOException e) {
            throw new CloseConnectionException("the output cannot be read", e);
        }
    }

    /// How it ended, empty if well.
    private String follow(Begin begin, Streamed body, Disconnects.Watch watch)
            throws IOException, InterruptedException {
        LastingSandbox sandbox;
        try {
            sandbox = begin.now();
        } catch (Rejected rejected) {
            return rejected.problem().detail();
        }
        try (var job = own(sandbox)) {
            watch.instead(() -> job.cancel("client"));
            try {
                return Tail.of(job.streamTo(new Bytes(body)).outcome());
            } catch (Streamed.ClientGone e) {
                job.cancel("client");
                throw e;
            } finally {
                neighbours.changed(sandbox);
            }
        }
    }

    private CloseConnectionException show(Begin begin, ServerResponse response) {
        return takeovers.take(response, RAW, connection -> {
            try (var job = own(begin.now())) {
                RawTerminal.serve(
                        connection,
                        job,
                        AFTER_INPUT,
                        ending -> Tail.line(Tail.of(ending.outcome())).getBytes(StandardCharsets.UTF_8));
            } catch (Rejected | ImageException e) {
                connection.write(Tail.line(String.valueOf(e.getMessage())).getBytes(StandardCharsets.UTF_8));
            }
        });
    }

    private static Execution own(LastingSandbox sandbox) {
        return sandbox.own().orElseThrow(() -> new IllegalStateException("sandbox " + sandbox.id() + " has not run"));
    }
}
