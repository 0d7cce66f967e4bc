package dev.bobbin.scheduler.http.v1;

import dev.bobbin.image.ImageReference;
import dev.bobbin.scheduler.dispatch.Dispatcher;
import dev.bobbin.scheduler.dispatch.ImageDirectory;
import dev.bobbin.scheduler.dispatch.SandboxDirectory;
import dev.bobbin.scheduler.http.exchange.Dialect;
import dev.bobbin.scheduler.http.exchange.Disconnects;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.http.exchange.Takeovers;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.ServerResponse;

/// The native API. Errors are problem documents.
public final class V1 implements Dialect {
    private static final String SANDBOX = "/v1/sandboxes/{id}";

    private final Runs runs;
    private final Execs execs;
    private final Builds builds;
    private final Sandboxes sandboxes;
    private final Volumes volumes;
    private final Stats stats;
    private final Files files;
    private final Events events;
    private final Submissions submissions;
    private final Jobs jobs;
    private final Images images;
    private final ImageTransfers transfers;

    public V1(
            Dispatcher dispatcher,
            SandboxDirectory places,
            ImageDirectory directory,
            ImageReference usualImage,
            Disconnects disconnects,
            Takeovers takeovers) {
        var answers = new JobAnswer(disconnects);
        var terminals = new Terminals(takeovers);
        this.runs = new Runs(dispatcher, directory, usualImage, answers, terminals);
        this.execs = new Execs(dispatcher, places, answers, terminals);
        this.builds = new Builds(dispatcher, directory, answers);
        this.submissions = new Submissions(runs, execs, builds);
        this.sandboxes = new Sandboxes(places, directory, usualImage, answers);
        this.volumes = new Volumes(places.volumes());
        this.stats = new Stats(places, answers);
        this.files = new Files(places);
        this.events = new Events(places, answers);
        this.jobs = new Jobs(dispatcher, answers, terminals);
        this.images = new Images(directory);
        this.transfers = new ImageTransfers(directory, disconnects);
    }

    @Override
    public void routing(HttpRules rules) {
        rules.post("/v1/run", runs::run)
                .any("/v1/run", only("POST"))
                .post("/v1/exec", execs::exec)
                .any("/v1/exec", only("POST"))
                .post("/v1/builds", builds::build)
                .any("/v1/builds", only("POST"))
                .post("/v1/builds/prune", builds::prune)
                .any("/v1/builds/prune", only("POST"))
                .post("/v1/jobs", submissions::submit)
                .get("/v1/jobs", jobs::list)
                .any("/v1/jobs", only("GET, POST"))
                .get("/v1/jobs/{id}", jobs::state)
                .any("/v1/jobs/{id}", only("GET"))
                .get("/v1/jobs/{id}/output", jobs::output)
                .any("/v1/jobs/{id}/output", only("GET"))
                .get("/v1/jobs/{id}/terminal", jobs::terminal)
                .any("/v1/jobs/{id}/terminal", only("GET"))
                .post("/v1/jobs/{id}/cancel", jobs::cancel)
                .any("/v1/jobs/{id}/cancel", only("POST"))
                .post("/v1/jobs/{id}/kill", jobs::kill)
                .any("/v1/jobs/{id}/kill", only("POST"))
                .post("/v1/jobs/{id}/resize", jobs::resize)
                .any("/v1/jobs/{id}/resize", only("POST"))
                .post("/v1/jobs/{id}/stdin", jobs::stdin)
                .any("/v1/jobs/{id}/stdin", only("POST"));
        rules.get("/v1/events", events::events).any("/v1/events", only("GET"));
        sandboxes(rules);
        volumes(rules);
        images(rules);
    }

    private void sandboxes(HttpRules rules) {
        rules.post("/v1/sandboxes", sandboxes::create)
                .get("/v1/sandboxes", sandboxes::list)
                .any("/v1/sandboxes", only("GET, POST"))
                .get(SANDBOX, sandboxes::inspect)
                .patch(SANDBOX, sandboxes::rename)
                .delete(SANDBOX, sandboxes::remove)
                .any(SANDBOX, only("GET, PATCH, DELETE"))
                .post(SANDBOX + "/start", sandboxes::start)
                .any(SANDBOX + "/start", only("POST"))
                .post(SANDBOX + "/stop", sandboxes::stop)
                .any(SANDBOX + "/stop", only("POST"))
                .post(SANDBOX + "/kill", sandboxes::kill)
                .any(SANDBOX + "/kill", only("POST"))
                .post(SANDBOX + "/restart", sandboxes::restart)
                .any(SANDBOX + "/restart", only("POST"))
                .get(SANDBOX + "/output", sandboxes::output)
                .any(SANDBOX + "/output", only("GET"))
                .get(SANDBOX + "/terminal", execs::terminal)
                .any(SANDBOX + "/terminal", only("GET"))
                .get(SANDBOX + "/stats", stats::stats)
                .any(SANDBOX + "/stats", only("GET"))
                .get(SANDBOX + "/files/*", files::get)
                .put(SANDBOX + "/files/*", files::put)
                .delete(SANDBOX + "/files/*", files::delete)
                .any(SANDBOX + "/files/*", only("GET, PUT, DELETE"));
    }

    private void volumes(HttpRules rules) {
        rules.post("/v1/volumes", volumes::create)
                .get("/v1/volumes", volumes::list)
                .any("/v1/volumes", only("GET, POST"))
                .post("/v1/volumes/prune", volumes::prune)
                .get("/v1/volumes/{name}", volumes::inspect)
                .delete("/v1/volumes/{name}", volumes::remove)
                .any("/v1/volumes/{name}", only("GET, DELETE"));
    }

    private void images(HttpRules rules) {
        rules.get("/v1/images", images::list)
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
