package dev.bobbin.scheduler.http.v1;

import dev.bobbin.runner.Attempt;
import dev.bobbin.scheduler.http.exchange.Body;
import dev.bobbin.scheduler.http.exchange.Exchange;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.concurrent.CancellationException;

/// Jobs that nobody waits for: `POST /v1/jobs` answers as soon as they run. From then on they are jobs like any other.
final class Submissions {
    private final Runs runs;
    private final Execs execs;
    private final Builds builds;

    Submissions(Runs runs, Execs execs, Builds builds) {
        this.runs = runs;
        this.execs = execs;
        this.builds = builds;
    }

    void submit(ServerRequest request, ServerResponse response) {
        var body = Body.read(request, Runs.LARGEST_REQUEST);
        var asked = JobRequest.read(body, builds.usualLimits());
        var key = IdempotencyKey.of(request, body);
        var caller = Exchange.caller(request);
        try {
            var attempt = switch (asked) {
                case JobRequest.Run(var run) -> runs.detached(run, key, caller);
                case JobRequest.Exec(var exec) -> execs.detached(exec, key, caller);
                case JobRequest.Build(var build) -> builds.detached(build, key, caller);
            };
            answer(attempt, response);
        } catch (InterruptedException | CancellationException e) {
            throw new CloseConnectionException("the server is stopping", e);
        }
    }

    private static void answer(Attempt attempt, ServerResponse response) {
        switch (attempt) {
            case Attempt.Refused refused -> throw new Rejected(Problem.of(refused.refusal()));
            case Attempt.Accepted accepted -> {
                try (var execution = accepted.execution()) {
                    JobAnswer.head(execution.id(), response);
                    response.status(Status.ACCEPTED_202);
                    JobAnswer.send(response, json -> JobJson.state(json, execution));
                }
            }
        }
    }
}
