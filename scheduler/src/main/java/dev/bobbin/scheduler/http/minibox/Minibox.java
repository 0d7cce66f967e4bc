package dev.bobbin.scheduler.http.minibox;

import dev.bobbin.runner.host.SharedPaths;
import dev.bobbin.scheduler.dispatch.Dispatcher;
import dev.bobbin.scheduler.dispatch.ImageDirectory;
import dev.bobbin.scheduler.dispatch.SandboxDirectory;
import dev.bobbin.scheduler.http.exchange.Dialect;
import dev.bobbin.scheduler.http.exchange.Disconnects;
import dev.bobbin.scheduler.http.exchange.Exchange;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.http.exchange.Takeovers;
import dev.bobbin.scheduler.tenant.Callers;
import dev.bobbin.scheduler.tenant.Scope;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.stream.Stream;

/// The API of minibox.
public final class Minibox implements Dialect, AutoCloseable {
    private final HealthChecks checks;
    private final Containers containers;
    private final Runs runs;
    private final Execs execs;
    private final Builds builds;
    private final Logs logs;
    private final Stats stats;
    private final Images images;
    private final Archives archives;
    private final Callers callers;

    public Minibox(
            Dispatcher dispatcher,
            SandboxDirectory sandboxes,
            ImageDirectory directory,
            SharedPaths shared,
            Callers callers,
            Disconnects disconnects,
            Takeovers takeovers) {
        this.checks = new HealthChecks(dispatcher);
        var neighbours = new Neighbours(sandboxes);
        this.containers = new Containers(sandboxes, neighbours, checks);
        this.runs = new Runs(sandboxes, directory, neighbours, checks, disconnects, takeovers);
        this.execs = new Execs(dispatcher, containers, disconnects, takeovers);
        this.builds = new Builds(dispatcher, directory, shared, disconnects);
        this.logs = new Logs(containers, disconnects);
        this.stats = new Stats(containers);
        this.images = new Images(directory, dispatcher, disconnects);
        this.archives = new Archives(directory, shared);
        this.callers = callers;
    }

    @Override
    public void routing(HttpRules rules) {
        get(rules, "/ping", (request, response) -> Plain.text(request, response, "Daemon is running"));
        get(rules, "/containers", containers::list);
        get(rules, "/containers/logs", logs::logs);
        get(rules, "/containers/stats", stats::stats);
        post(rules, "/containers/run", runs::run);
        post(rules, "/containers/exec", execs::exec);
        post(rules, "/containers/build", onThisMachine(builds::build));
        post(rules, "/containers/stop", containers::stop);
        post(rules, "/containers/start", containers::start);
        post(rules, "/containers/kill", containers::kill);
        post(rules, "/containers/remove", containers::remove);
        get(rules, "/images", images::list);
        post(rules, "/images/pull", images::pull);
        post(rules, "/images/save", onThisMachine(archives::save));
        post(rules, "/images/load", onThisMachine(archives::load));
        post(rules, "/images/remove", images::remove);
        post(rules, "/system/prune", images::prune);
    }

    /// Nobody's health is looked after any more.
    @Override
    public void close() {
        checks.close();
    }

    @FunctionalInterface
    private interface Route {
        void answer(ServerRequest request, ServerResponse response) throws InterruptedException;
    }

    private static void get(HttpRules rules, String path, Route route) {
        rules.get(path, handler(route)).head(path, handler(route)).any(path, only("GET, HEAD"));
    }

    private static void post(HttpRules rules, String path, Route route) {
        rules.post(path, handler(route)).any(path, only("POST"));
    }

    private static Handler handler(Route route) {
        return (request, response) -> {
            try {
                route.answer(request, response);
            } catch (InterruptedException e) {
                throw new CloseConnectionException("nobody waits for the answer, or the server is stopping", e);
            }
        };
    }

    /// What names files of this machine, which the server reads and writes with its own rights: only administrators
    /// may where several tenants share it.
    private Route onThisMachine(Route route) {
        return (request, response) -> {
            if (callers.areSeveral() && !Exchange.caller(request).may(Scope.ADMIN)) {
                throw new Rejected(Problem.forbidden("only administrators may name files of this machine, since several"
                        + " tenants share it; use /v1/builds, /v1/images/save and /v1/images/load"));
            }
            route.answer(request, response);
        };
    }

    private static Handler only(String methods) {
        return (_, response) -> {
            response.header(HeaderNames.ALLOW, methods);
            throw new Rejected(new Problem(405, "method_not_allowed", "Method Not Allowed"));
        };
    }

    @Override
    public boolean owns(String path) {
        return Stream.of("/ping", "/containers", "/images", "/system")
                .anyMatch(top -> path.equals(top) || path.startsWith(top + "/"));
    }

    @Override
    public String challenge() {
        return "Bearer realm=\"minibox\"";
    }

    @Override
    public void fail(ServerResponse response, Problem problem) {
        var message = switch (problem.code()) {
            case "unauthorized" -> "Unauthorized";
            case "not_found" -> "404 page not found";
            case "too_large" -> "Request Entity Too Large";
            default -> problem.detail();
        };
        Plain.fail(response, problem.status(), message);
    }
}
