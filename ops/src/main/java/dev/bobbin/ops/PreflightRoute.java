package dev.bobbin.ops;

import dev.bobbin.ops.preflight.IsolationWatch;
import dev.bobbin.ops.preflight.IsolationWatch.Report;
import dev.bobbin.scheduler.http.exchange.Exchange;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.tenant.Scope;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;

/// `/v1/preflight`, for administrators: what the checks of this host came to last time, and, by POST, now.
final class PreflightRoute implements HttpService {
    private final IsolationWatch watch;

    PreflightRoute(IsolationWatch watch) {
        this.watch = watch;
    }

    @Override
    public void routing(HttpRules rules) {
        rules.get("/v1/preflight", (request, response) -> {
            admit(request);
            answer(
                    response,
                    watch.latest()
                            .orElseThrow(() -> new Rejected(
                                    Problem.notFound("no checks were made yet; POST to this makes them"))));
        });
        rules.post("/v1/preflight", (request, response) -> {
            admit(request);
            answer(response, watch.examine());
        });
    }

    private static void admit(ServerRequest request) {
        if (!Exchange.caller(request).may(Scope.ADMIN)) {
            throw new Rejected(Problem.forbidden("only administrators see how this host isolates"));
        }
    }

    private static void answer(ServerResponse response, Report report) {
        response.header(HeaderNames.CONTENT_TYPE, "application/json").send(report.json());
    }
}
