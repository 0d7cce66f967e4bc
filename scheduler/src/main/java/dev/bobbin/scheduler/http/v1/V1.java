package dev.bobbin.scheduler.http.v1;

import dev.bobbin.image.ImageReference;
import dev.bobbin.runner.Attempt;
import dev.bobbin.runner.Job;
import dev.bobbin.scheduler.dispatch.Dispatcher;
import dev.bobbin.scheduler.http.exchange.Body;
import dev.bobbin.scheduler.http.exchange.Dialect;
import dev.bobbin.scheduler.http.exchange.Disconnects;
import dev.bobbin.scheduler.http.exchange.Exchange;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;

/// The native API. Errors are problem documents.
public final class V1 implements Dialect {
    private static final int LARGEST_REQUEST = 4 * 1024 * 1024;

    private final Dispatcher dispatcher;
    private final ImageReference usualImage;
    private final JobAnswer answers;
    private final Jobs jobs;

    public V1(Dispatcher dispatcher, ImageReference usualImage, Disconnects disconnects) {
        this.dispatcher = dispatcher;
        this.usualImage = usualImage;
        this.answers = new JobAnswer(disconnects);
        this.jobs = new Jobs(dispatcher, answers);
    }

    @Override
    public void routing(HttpRules rules) {
        rules.post("/v1/run", this::run)
                .any("/v1/run", only("POST"))
                .get("/v1/jobs/{id}", jobs::state)
                .any("/v1/jobs/{id}", only("GET"))
                .get("/v1/jobs/{id}/output", jobs::output)
                .any("/v1/jobs/{id}/output", only("GET"))
                .post("/v1/jobs/{id}/cancel", jobs::cancel)
                .any("/v1/jobs/{id}/cancel", only("POST"))
                .post("/v1/jobs/{id}/stdin", jobs::stdin)
                .any("/v1/jobs/{id}/stdin", only("POST"));
    }

    @Override
    public boolean owns(String path) {
        return path.equals("/v1") || path.startsWith("/v1/");
    }

    @Override
    public void fail(ServerResponse response, Problem problem) {
        response.header(HeaderNames.CONTENT_TYPE, "application/problem+json");
        response.status(Status.create(problem.status())).send(problem.document());
    }

    private void run(ServerRequest request, ServerResponse response) {
        var rendition = Rendition.of(request, Rendition.JSON);
        var caller = Exchange.caller(request);
        var policy = rendition == Rendition.JSON ? Job.OutputPolicy.KILL : Job.OutputPolicy.BLOCK;
        var job = RunRequest.read(Body.read(request, LARGEST_REQUEST)).toJob(caller.tenant(), usualImage, policy);
        Attempt attempt;
        try {
            attempt = dispatcher.start(job, caller);
        } catch (InterruptedException e) {
            throw new CloseConnectionException("stopping", e);
        }
        switch (attempt) {
            case Attempt.Refused refused -> throw new Rejected(Problem.of(refused.refusal()));
            case Attempt.Accepted accepted -> answers.started(accepted.execution(), rendition, response);
        }
    }

    private static Handler only(String method) {
        return (_, response) -> {
            response.header(HeaderNames.ALLOW, method);
            throw new Rejected(
                    new Problem(405, "method_not_allowed", "this path answers " + method + " and nothing else"));
        };
    }
}
