package dev.bobbin.scheduler.http.v1;

import dev.bobbin.image.ImageReference;
import dev.bobbin.scheduler.dispatch.Dispatcher;
import dev.bobbin.scheduler.dispatch.ImageDirectory;
import dev.bobbin.scheduler.http.exchange.Dialect;
import dev.bobbin.scheduler.http.exchange.Disconnects;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.ServerResponse;

/// The native API. Errors are problem documents.
public final class V1 implements Dialect {
    private final Runs runs;
    private final Jobs jobs;
    private final Images images;
    private final ImageTransfers transfers;

    public V1(Dispatcher dispatcher, ImageDirectory directory, ImageReference usualImage, Disconnects disconnects) {
        var answers = new JobAnswer(disconnects);
        this.runs = new Runs(dispatcher, directory, usualImage, answers);
        this.jobs = new Jobs(dispatcher, answers);
        this.images = new Images(directory);
        this.transfers = new ImageTransfers(directory, disconnects);
    }

    @Override
    public void routing(HttpRules rules) {
        rules.post("/v1/run", runs::run)
                .any("/v1/run", only("POST"))
                .get("/v1/jobs/{id}", jobs::state)
                .any("/v1/jobs/{id}", only("GET"))
                .get("/v1/jobs/{id}/output", jobs::output)
                .any("/v1/jobs/{id}/output", only("GET"))
                .post("/v1/jobs/{id}/cancel", jobs::cancel)
                .any("/v1/jobs/{id}/cancel", only("POST"))
                .post("/v1/jobs/{id}/stdin", jobs::stdin)
                .any("/v1/jobs/{id}/stdin", only("POST"))
                .get("/v1/images", images::list)
                .any("/v1/images", only("GET"))
                .post("/v1/images/pull", transfers::pull)
                .post("/v1/images/push", transfers::push)
                .post("/v1/images/load", transfers::load)
                .get("/v1/images/save", transfers::save)
                .post("/v1/images/tag", images::tag)
                .post("/v1/images/prune", images::prune)
                .get("/v1/images/*", images::inspect)
                .delete("/v1/images/*", images::remove)
                .any("/v1/images/*", only("GET, DELETE"));
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

    private static Handler only(String method) {
        return (_, response) -> {
            response.header(HeaderNames.ALLOW, method);
            throw new Rejected(
                    new Problem(405, "method_not_allowed", "this path answers " + method + " and nothing else"));
        };
    }
}
