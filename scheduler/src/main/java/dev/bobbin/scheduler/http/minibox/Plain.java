package dev.bobbin.scheduler.http.minibox;

import dev.bobbin.runner.Refusal;
import dev.bobbin.scheduler.http.exchange.Json;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import io.helidon.http.HeaderNames;
import io.helidon.http.Method;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/// Short answers, and what is said instead of one.
final class Plain {
    static final String TEXT = "text/plain; charset=utf-8";
    private static final String JSON = "application/json";

    private Plain() {}

    static void text(ServerRequest request, ServerResponse response, String text) {
        send(request, response, Status.OK_200, TEXT, text.getBytes(StandardCharsets.UTF_8));
    }

    /// One line.
    static void json(ServerRequest request, ServerResponse response, Json.Value value) {
        var line = new ByteArrayOutputStream();
        line.writeBytes(Json.write(value));
        line.write('\n');
        send(request, response, Status.OK_200, JSON, line.toByteArray());
    }

    static void send(ServerRequest request, ServerResponse response, Status status, String type, byte[] body) {
        response.header(HeaderNames.CONTENT_TYPE, type);
        response.status(status);
        if (request.prologue().method().equals(Method.HEAD)) {
            response.contentLength(body.length);
            response.send();
        } else {
            response.send(body);
        }
    }

    static void fail(ServerResponse response, int status, String message) {
        response.header(HeaderNames.CONTENT_TYPE, TEXT);
        response.status(Status.create(status)).send((message + "\n").getBytes(StandardCharsets.UTF_8));
    }

    /// A parameter of the query; empty if it is not there.
    static String query(ServerRequest request, String name) {
        return request.query().first(name).asOptional().orElse("");
    }

    static Rejected bad(String message) {
        return new Rejected(new Problem(400, "invalid", message));
    }

    static Rejected absent(String message) {
        return new Rejected(new Problem(404, "absent", message));
    }

    static Rejected failed(String message) {
        return new Rejected(new Problem(500, "failed", message));
    }

    /// Why something was not done, in the words that clients of minibox know.
    static Problem problem(Refusal refusal, String image) {
        if (refusal.reason() == Refusal.Reason.NO_SUCH_IMAGE) {
            return new Problem(404, "absent", "failed to resolve image config: image " + image + " not found");
        }
        return Problem.of(refusal);
    }
}
