package dev.bobbin.image.registry;

import dev.bobbin.image.Credentials;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageProblem;
import dev.bobbin.image.registry.login.JsonText;
import dev.bobbin.image.registry.wire.Origin;
import dev.bobbin.image.registry.wire.RefusedException;
import dev.bobbin.image.registry.wire.Request;
import dev.bobbin.image.registry.wire.Response;
import java.io.IOException;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import javax.net.ssl.SSLException;

/// A repository at one registry or mirror, as seen with some credentials.
///
/// @param path its name there: `library/busybox`
/// @param space what is asked of a mirror: the registry it stands for; empty for the registry itself
record Repository(Upstream upstream, String path, String space, Credentials credentials) {
    private static final Set<Integer> TRANSIENT = Set.of(408, 425, 429, 500, 502, 503, 504);
    private static final int LONGEST_PROBLEM = 16 << 10;

    /// A request about something of this repository.
    ///
    /// @param what below `/v2/PATH/`, escaped; may carry a query
    Function<Origin, Request> request(String method, String what, UnaryOperator<Request> with) {
        var query = space.isEmpty() ? "" : (what.indexOf('?') < 0 ? "?" : "&") + "ns=" + space;
        return origin -> with.apply(Request.of(method, origin.at("/v2/" + path + "/" + what + query)));
    }

    /// Sends a request until it is answered by more than a passing failure, and reads the answer.
    ///
    /// @param scope what is done there: `pull` or `pull,push`
    /// @param reader closes the answer; an IOException of it is a reason to try again
    <T> T call(Function<Origin, Request> request, String scope, Retry retry, Reader<T> reader) {
        while (true) {
            Optional<Duration> asked;
            Supplier<RuntimeException> failure;
            try {
                var response = upstream.send(request, "repository:" + path + ":" + scope, credentials, retry.left());
                if (!TRANSIENT.contains(response.status())) {
                    return reader.read(response);
                }
                asked = Retry.asked(response);
                var refused = refused(response, "asked about " + path);
                failure = () -> refused;
            } catch (RefusedException | UnknownHostException | ConnectException | SSLException e) {
                throw upstream.gone(e);
            } catch (IOException e) {
                asked = Optional.empty();
                failure = () -> upstream.gone(e);
            }
            if (!retry.again(asked)) {
                throw failure.get();
            }
        }
    }

    /// Refuses an answer whose bytes are not the content itself.
    static void requirePlain(Response response) {
        var coding = response.headers().first("Content-Encoding").orElse("identity");
        if (!coding.equalsIgnoreCase("identity")) {
            throw ImageException.invalid(response.origin() + " encodes content in a way that was not asked for");
        }
    }

    /// What an answer that is no success means; closes it.
    ///
    /// @param tried what was tried, on what
    ImageException refused(Response response, String tried) {
        try (response) {
            var problem = switch (response.status()) {
                case 401, 403 -> ImageProblem.UNAUTHORIZED;
                case 404, 410 -> ImageProblem.NOT_FOUND;
                case 413 -> ImageProblem.UNSUPPORTED;
                default -> TRANSIENT.contains(response.status()) ? ImageProblem.UNAVAILABLE : ImageProblem.INVALID;
            };
            return new ImageException(
                    problem, upstream.name() + ", " + tried + ", answered " + response.status() + said(response));
        }
    }

    /// The registry's own words, as far as they can be shown.
    private static String said(Response response) {
        try {
            var bytes = response.bytes(LONGEST_PROBLEM, Duration.ofSeconds(2));
            return Optional.ofNullable(bytes)
                    .flatMap(JsonText::object)
                    .map(node -> node.path("errors").path(0))
                    .flatMap(error -> JsonText.text(error, "message"))
                    .map(text -> text.substring(0, Math.min(200, text.length())).replaceAll("[^ -~]", "?"))
                    .map(text -> ": " + text)
                    .orElse("");
        } catch (IOException e) {
            return "";
        }
    }

    /// Reads an answer and closes it.
    @FunctionalInterface
    interface Reader<T> {
        T read(Response response) throws IOException;
    }
}
