package dev.bobbin.scheduler.http.agentkernel;

import dev.bobbin.image.store.PullPolicy;
import dev.bobbin.runner.Attempt;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Outcome;
import dev.bobbin.scheduler.dispatch.Dispatcher;
import dev.bobbin.scheduler.dispatch.ImageDirectory;
import dev.bobbin.scheduler.dispatch.ImageDirectory.Whose;
import dev.bobbin.scheduler.http.exchange.Body;
import dev.bobbin.scheduler.http.exchange.Dialect;
import dev.bobbin.scheduler.http.exchange.Disconnects;
import dev.bobbin.scheduler.http.exchange.Exchange;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.util.concurrent.CancellationException;

/// The API of agentkernel: `POST /run` and `GET /health`.
public final class Agentkernel implements Dialect {
    private static final int LARGEST_REQUEST = 16 * 1024 * 1024;

    private final Dispatcher dispatcher;
    private final ImageDirectory images;
    private final Disconnects disconnects;

    public Agentkernel(Dispatcher dispatcher, ImageDirectory images, Disconnects disconnects) {
        this.dispatcher = dispatcher;
        this.images = images;
        this.disconnects = disconnects;
    }

    @Override
    public void routing(HttpRules rules) {
        // This API knows no 405: a wrong method is a path that does not exist.
        Handler nothing = (_, _) -> {
            throw new Rejected(Problem.notFound("Not found"));
        };
        rules.post("/run[/]", this::run)
                .any("/run[/]", nothing)
                .get("/health[/]", this::health)
                .any("/health[/]", nothing);
    }

    @Override
    public boolean owns(String path) {
        var plain = path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
        return plain.equals("/run") || plain.equals("/health");
    }

    @Override
    public void fail(ServerResponse response, Problem problem) {
        var status = switch (problem.status()) {
            case 405 -> 404;
            case 422 -> 400;
            case 424 -> 500;
            case 429 -> 503;
            default -> problem.status();
        };
        RunAnswer.error(response, status, problem.detail());
    }

    /// Satisfies both the documented body and what the official clients look for.
    private void health(ServerRequest request, ServerResponse response) {
        RunAnswer.send(response, 200, json -> {
            json.writeStartObject();
            json.writeBooleanField("success", true);
            json.writeStringField("data", "ok");
            json.writeStringField("status", "ok");
            json.writeEndObject();
        });
    }

    private void run(ServerRequest request, ServerResponse response) {
        var caller = Exchange.caller(request);
        var job = RunRequest.read(Body.read(request, LARGEST_REQUEST)).toJob(caller.tenant());
        var answer = new RunAnswer();
        var waiting = Thread.currentThread();
        try (var watch = disconnects.watch(response, waiting::interrupt)) {
            if (images.mustPull(job.image(), PullPolicy.MISSING, caller)) {
                images.pull(job.image(), PullPolicy.MISSING, null, null, caller, Whose.CALLERS, _ -> {});
            }
            var outcome = switch (dispatcher.start(job, caller)) {
                case Attempt.Refused refused -> throw new Rejected(Problem.of(refused.refusal()));
                case Attempt.Accepted accepted -> follow(accepted.execution(), answer, watch);
            };
            answer.send(outcome, response);
        } catch (InterruptedException | CancellationException e) {
            throw new CloseConnectionException("nobody waits for the answer", e);
        }
    }

    private static Outcome follow(Execution job, RunAnswer answer, Disconnects.Watch watch)
            throws InterruptedException {
        try (job) {
            watch.instead(() -> job.cancel("client"));
            return job.streamTo(answer).outcome();
        } catch (IOException e) {
            throw new IllegalStateException("read the output of job " + job.id(), e);
        }
    }
}
