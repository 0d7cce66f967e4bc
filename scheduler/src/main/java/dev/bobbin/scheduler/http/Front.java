package dev.bobbin.scheduler.http;

import dev.bobbin.image.ImageException;
import dev.bobbin.scheduler.http.exchange.Body;
import dev.bobbin.scheduler.http.exchange.Dialect;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import io.helidon.http.DirectHandler;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.HttpException;
import io.helidon.http.Method;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.DirectHandlers;
import io.helidon.webserver.http.HttpFeature;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.List;

/// The order of things for one listener: the doorkeeper, the services of the operator, the APIs, and what is said when
/// nobody answers. An error is said by the API that owns the path, else as a problem document.
final class Front implements HttpFeature {
    private static final System.Logger LOG = System.getLogger(Front.class.getName());
    private static final String NOSNIFF = "nosniff";

    private final Doorkeeper doorkeeper;
    private final Patience patience;
    private final List<Dialect> dialects;
    private final List<HttpService> extra;

    Front(Doorkeeper doorkeeper, Patience patience, List<Dialect> dialects, List<HttpService> extra) {
        this.doorkeeper = doorkeeper;
        this.patience = patience;
        this.dialects = List.copyOf(dialects);
        this.extra = List.copyOf(extra);
    }

    @Override
    public void setup(HttpRouting.Builder routing) {
        routing.addFilter((chain, request, response) -> {
            patience.begin(request, response);
            response.header(HeaderNames.X_CONTENT_TYPE_OPTIONS, NOSNIFF);
            response.whenSent(() -> closeIfAnnounced(response));
            Framing.check(request.headers());
            doorkeeper.admit(request);
            chain.proceed();
        });
        extra.forEach(service -> routing.register(service));
        dialects.forEach(dialect -> routing.register(dialect));
        routing.any((request, response) -> {
            throw new Rejected(Problem.notFound("Not found"));
        });
        routing.error(Rejected.class, (request, response, rejected) -> fail(request, response, rejected.problem()));
        routing.error(
                ImageException.class, (request, response, failure) -> fail(request, response, Problem.of(failure)));
        routing.error(HttpException.class, this::failByHelidon);
        routing.error(CloseConnectionException.class, (_, _, closing) -> {
            throw closing;
        });
        routing.error(Throwable.class, this::failByFault);
    }

    /// Answers to what Helidon refuses before any route sees it.
    static DirectHandlers unroutable() {
        DirectHandler handler = (request, type, status, headers, message) -> {
            var problem = new Problem(status.code(), code(status), detail(status));
            return DirectHandler.TransportResponse.builder()
                    .status(status)
                    .headers(headers)
                    .header(HeaderNames.CONTENT_TYPE, "application/problem+json")
                    .header(HeaderNames.X_CONTENT_TYPE_OPTIONS, NOSNIFF)
                    .entity(problem.document())
                    .keepAlive(false)
                    .build();
        };
        var handlers = DirectHandlers.builder();
        for (var type : DirectHandler.EventType.values()) {
            handlers.addHandler(type, handler);
        }
        return handlers.build();
    }

    /// Helidon announces that a connection will close and leaves that to the client.
    private static void closeIfAnnounced(ServerResponse response) {
        if (response.headers().containsToken(HeaderValues.CONNECTION_CLOSE)) {
            throw new CloseConnectionException("answered");
        }
    }

    private void fail(ServerRequest request, ServerResponse response, Problem problem) {
        var allowed = response.headers().find(HeaderNames.ALLOW);
        if (problem.code().equals(Framing.CODE)) {
            response.headers().set(HeaderValues.CONNECTION_CLOSE);
        } else {
            Body.abandon(request, response);
        }
        response.header(HeaderNames.X_CONTENT_TYPE_OPTIONS, NOSNIFF);
        allowed.ifPresent(response::header);
        if (problem.retryAfterSeconds() > 0) {
            response.header(HeaderNames.RETRY_AFTER, Integer.toString(problem.retryAfterSeconds()));
        }
        var path = request.path().path();
        var owner = dialects.stream().filter(dialect -> dialect.owns(path)).findFirst();
        if (problem.status() == 426) {
            response.header(HeaderNames.UPGRADE, "websocket, tcp");
            response.header(HeaderNames.create("Sec-WebSocket-Version"), "13");
        }
        if (problem.status() == 401) {
            var challenge = owner.map(Dialect::challenge).orElse("Bearer");
            response.header(HeaderNames.create("WWW-Authenticate"), challenge);
        }
        if (request.prologue().method().equals(Method.HEAD)) {
            response.status(Status.create(problem.status())).send();
            return;
        }
        if (owner.isPresent()) {
            owner.get().fail(response, problem);
            return;
        }
        response.header(HeaderNames.CONTENT_TYPE, "application/problem+json");
        response.status(Status.create(problem.status())).send(problem.document());
    }

    private void failByHelidon(ServerRequest request, ServerResponse response, HttpException refused) {
        fail(request, response, new Problem(refused.status().code(), code(refused.status()), detail(refused.status())));
    }

    private void failByFault(ServerRequest request, ServerResponse response, Throwable fault) {
        var prologue = request.prologue();
        LOG.log(
                System.Logger.Level.ERROR,
                "answer " + prologue.method() + " " + prologue.uriPath().rawPath(),
                fault);
        fail(request, response, new Problem(500, "internal", "Internal server error"));
    }

    private static String detail(Status status) {
        return switch (status.code()) {
            case 400 -> "this is not a valid HTTP/1.1 request";
            case 414 -> "the request line is too long";
            case 505 -> "this server speaks HTTP/1.1";
            default -> status.reasonPhrase();
        };
    }

    private static String code(Status status) {
        return switch (status.code()) {
            case 400 -> "invalid";
            case 404 -> "not_found";
            case 413 -> "too_large";
            default -> status.code() < 500 ? "invalid" : "internal";
        };
    }
}
