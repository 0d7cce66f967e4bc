package dev.bobbin.image.registry;

import dev.bobbin.image.Credentials;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageProblem;
import dev.bobbin.image.registry.login.Challenge;
import dev.bobbin.image.registry.login.Tokens;
import dev.bobbin.image.registry.wire.AddressPolicy;
import dev.bobbin.image.registry.wire.AddressPolicy.Reach;
import dev.bobbin.image.registry.wire.Origin;
import dev.bobbin.image.registry.wire.Referrals;
import dev.bobbin.image.registry.wire.RefusedException;
import dev.bobbin.image.registry.wire.Request;
import dev.bobbin.image.registry.wire.Response;
import dev.bobbin.image.registry.wire.Wire;
import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/// One registry, or a mirror of one: where it listens, how it wants to be shown credentials, and whether it answers.
/// Follows redirects and answers challenges; credentials go with the requests to the registry itself and no further.
final class Upstream {
    private static final String BEARER = "Bearer ";
    private static final int MOST_REDIRECTS = 5;
    private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
    private static final Set<String> THIS_MACHINE = Set.of("localhost", "127.0.0.1", "::1");

    private final String name;
    private final Origin secure;
    private final Wire wire;
    private final Tokens tokens;
    private final Referrals referrals;
    private final AddressPolicy policy;
    private final Duration remembered;
    private final Semaphore permits;

    private volatile @Nullable Origin spoken;
    private volatile boolean basic;
    private volatile @Nullable Away away;

    Upstream(String name, Wire wire, Tokens tokens, Referrals referrals, AddressPolicy policy, RegistryConfig config) {
        this.name = name;
        this.wire = wire;
        this.tokens = tokens;
        this.referrals = referrals;
        this.policy = policy;
        this.remembered = config.patience().remembered();
        this.permits = new Semaphore(config.parallel());
        try {
            this.secure = Origin.of(true, name.equals("docker.io") ? "registry-1.docker.io" : name);
        } catch (IllegalArgumentException e) {
            throw new ImageException(ImageProblem.INVALID, "not the name of a registry: " + name, e);
        }
    }

    /// As references name it.
    String name() {
        return name;
    }

    /// A place among the requests whose answers may be under way at once; to be released.
    Semaphore permits() {
        return permits;
    }

    /// Fails at once if it did not answer a moment ago.
    void requireThere() {
        var known = away;
        if (known != null && known.until - System.nanoTime() > 0) {
            throw new ImageException(
                    ImageProblem.UNAVAILABLE, "the registry " + name + " did not answer a moment ago: " + known.why);
        }
    }

    /// What to throw when `failure` was the last: not remembered if a rule forbade the connection, else for a while.
    RuntimeException gone(IOException failure) {
        if (Thread.currentThread().isInterrupted()) {
            var cancelled = new CancellationException("interrupted while talking to the registry " + name);
            cancelled.initCause(failure);
            return cancelled;
        }
        if (failure instanceof RefusedException) {
            return new ImageException(ImageProblem.INVALID, String.valueOf(failure.getMessage()), failure);
        }
        var why = failure instanceof SSLException ? "no trusted TLS: " + failure.getMessage() : failure.getMessage();
        spoken = null;
        away = new Away(String.valueOf(why), System.nanoTime() + remembered.toNanos());
        return new ImageException(
                ImageProblem.UNAVAILABLE, "the registry " + name + " does not answer: " + why, failure);
    }

    /// Sends what `make` makes for its origin, as `credentials` if it wants some.
    ///
    /// @param scope what a token must allow, as `repository:name:pull`
    /// @param time for each answer to begin
    /// @throws IOException if trying again may help
    Response send(Function<Origin, Request> make, String scope, Credentials credentials, Duration time)
            throws IOException {
        var origin = origin(time);
        var request = make.apply(origin).within(time);
        var shown = authorization(origin, scope, credentials);
        var response =
                follow(shown.map(value -> request.with("Authorization", value)).orElse(request), reach());
        away = null;
        if (response.status() != 401 || !response.origin().equals(origin)) {
            return response;
        }
        shown.filter(value -> value.startsWith(BEARER))
                .ifPresent(value -> tokens.forget(origin, scope, credentials, value.substring(BEARER.length())));
        var answer = answer(response, request, scope, credentials);
        if (answer.isEmpty() || answer.equals(shown)) {
            return response;
        }
        response.close();
        return follow(request.with("Authorization", answer.get()), reach());
    }

    private Optional<String> authorization(Origin origin, String scope, Credentials credentials) {
        return switch (credentials) {
            case Credentials.RegistryToken(var token) -> Optional.of(BEARER + token);
            case Credentials.Password password when basic -> Optional.of(Tokens.basic(password));
            default -> tokens.known(origin, scope, credentials).map(token -> BEARER + token);
        };
    }

    /// What to show after a refusal; nothing if there is nothing to show.
    private Optional<String> answer(Response response, Request request, String scope, Credentials credentials)
            throws IOException {
        if (credentials instanceof Credentials.RegistryToken) {
            return Optional.empty();
        }
        var values = response.headers().all("WWW-Authenticate");
        var bearer = Challenge.find(values, "bearer");
        if (bearer.isPresent()) {
            var reach = reach().from(response.remote());
            return Optional.of(BEARER + tokens.obtain(bearer.get(), request.uri(), reach, scope, credentials));
        }
        if (credentials instanceof Credentials.Password password
                && Challenge.find(values, "basic").isPresent()) {
            basic = true;
            return Optional.of(Tokens.basic(password));
        }
        return Optional.empty();
    }

    /// Fetches a place that a manifest names, as nobody.
    ///
    /// @param missed the answer of the registry that does not have the content itself
    Response fetch(Response missed, String place, UnaryOperator<Request> with, Duration time) throws IOException {
        var uri = referrals.judge(missed.origin().at("/"), place);
        return follow(with.apply(Request.of("GET", uri)).within(time), reach().from(missed.remote()));
    }

    /// Sends a request and goes where the answers point to. Each place may refer only to what lies no further inside
    /// than itself, whatever came before it.
    private Response follow(Request first, Reach allowed) throws IOException {
        var request = first;
        var reach = allowed;
        for (var hops = 0; ; hops++) {
            var response = wire.send(request, reach);
            var location = response.headers().first("Location");
            if (!first.isRead() || !REDIRECTS.contains(response.status()) || location.isEmpty()) {
                return response;
            }
            try (response) {
                if (hops == MOST_REDIRECTS) {
                    throw new RefusedException(name + " redirects more than " + MOST_REDIRECTS + " times");
                }
                reach = reach.from(response.remote());
                request = request.to(referrals.judge(request.uri(), location.get()));
            }
        }
    }

    /// Where it listens. TLS, unless it is one that may do without and does.
    private Origin origin(Duration time) throws IOException {
        var known = spoken;
        if (known != null) {
            return known;
        }
        if (mayBePlain()) {
            var found = speaksTls(time) ? secure : new Origin(false, secure.host(), plainPort());
            spoken = found;
            return found;
        }
        return secure;
    }

    private boolean mayBePlain() {
        return THIS_MACHINE.contains(secure.host()) || referrals.permits(secure);
    }

    private int plainPort() {
        return name.matches(".*:[0-9]+") ? secure.port() : 80;
    }

    /// Whether TLS is spoken where nothing is at stake yet: the question shows no credentials.
    private boolean speaksTls(Duration time) throws IOException {
        try (var _ = wire.send(Request.of("GET", secure.at("/v2/")).within(time), reach())) {
            return true;
        } catch (SSLException e) {
            if (e.getClass().equals(SSLException.class) || e.getCause() instanceof EOFException) {
                return false;
            }
            throw e;
        } catch (ConnectException e) {
            if (plainPort() != secure.port()) {
                return false;
            }
            throw e;
        } catch (SocketException e) {
            return false;
        }
    }

    /// A registry that may do without TLS because it is this machine must be this machine.
    private Reach reach() {
        var named = policy.named();
        return THIS_MACHINE.contains(secure.host()) && !referrals.permits(secure) ? named.machineOnly() : named;
    }

    private record Away(String why, long until) {}
}
