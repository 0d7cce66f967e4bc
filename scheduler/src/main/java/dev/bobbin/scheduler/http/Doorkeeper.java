package dev.bobbin.scheduler.http;

import dev.bobbin.scheduler.http.exchange.Exchange;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.tenant.Caller;
import dev.bobbin.scheduler.tenant.Callers;
import dev.bobbin.scheduler.tenant.Scope;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.RoutingRequest;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/// What every request must pass before an API sees it: called by a name of this server, not from a foreign web page,
/// and by somebody who may. A Unix socket passes whoever can open it.
final class Doorkeeper {
    private static final List<HeaderName> KEYS =
            List.of(HeaderNames.create("X-API-Key"), HeaderNames.create("X-API-Token"));
    private static final Set<String> OPEN = Set.of("/health", "/api/v1/health", "/readyz", "/livez");
    private static final Set<String> READING = Set.of("GET", "HEAD", "OPTIONS");
    private static final Set<String> USUAL_HOSTS = Set.of("localhost", "127.0.0.1", "::1", "minibox", "unix");

    private final boolean unix;
    private final Set<String> hosts;
    private final List<String> origins;
    private final Callers callers;

    Doorkeeper(Listen listen, HttpConfig config, Callers callers) {
        this.callers = callers;
        this.origins = config.allowedOrigins();
        this.hosts = new HashSet<>(USUAL_HOSTS);
        config.allowedHosts().forEach(host -> hosts.add(host.toLowerCase(Locale.ROOT)));
        this.unix = switch (listen) {
            case Listen.Unix _ -> true;
            case Listen.Tcp tcp -> {
                hosts.add(tcp.host().toLowerCase(Locale.ROOT));
                yield false;
            }
        };
    }

    /// Notes the caller of the request, or refuses it.
    void admit(RoutingRequest request) {
        if (unix) {
            Exchange.caller(request, Caller.LOCAL);
            return;
        }
        checkHost(request);
        var secret = secret(request);
        var known = secret.flatMap(callers::bearing);
        checkOrigin(request, known.isPresent());
        var path = request.path().path();
        if (isOpen(path, request)) {
            Exchange.caller(request, known.orElse(Caller.NOBODY));
            return;
        }
        if (!callers.needToken()) {
            Exchange.caller(request, Caller.ANYBODY);
            return;
        }
        var caller = known.orElseThrow(() -> unauthorized(request, secret));
        checkScope(caller, request);
        Exchange.caller(request, caller);
    }

    private void checkHost(RoutingRequest request) {
        var host = withoutPort(request.headers().first(HeaderNames.HOST).orElse(""));
        if (hosts.contains(host) || host.equals(literal(request))) {
            return;
        }
        throw new Rejected(new Problem(
                421,
                "foreign_host",
                "Host: this server does not answer to this name; call it by its address or allow the name",
                "Host",
                0));
    }

    /// The address at which the request arrived: a page cannot make a browser name it unless it connects to it.
    private static String literal(RoutingRequest request) {
        return request.localPeer().address() instanceof InetSocketAddress address && address.getAddress() != null
                ? address.getAddress().getHostAddress()
                : "";
    }

    private void checkOrigin(RoutingRequest request, boolean trusted) {
        var origin = request.headers().first(HeaderNames.ORIGIN);
        if (origin.isEmpty() || trusted || origins.contains(origin.get())) {
            return;
        }
        var host = request.headers().first(HeaderNames.HOST).orElse("");
        if (!origin.get().equals("http://" + host) && !origin.get().equals("https://" + host)) {
            throw new Rejected(new Problem(
                    403, "foreign_origin", "Origin: pages of this origin may not call this server", "Origin", 0));
        }
    }

    private static boolean isOpen(String path, RoutingRequest request) {
        return OPEN.contains(path) || path.startsWith("/health/") || (path.equals("/metrics") && isLoopback(request));
    }

    private static boolean isLoopback(RoutingRequest request) {
        return request.remotePeer().address() instanceof InetSocketAddress address
                && address.getAddress() != null
                && address.getAddress().isLoopbackAddress();
    }

    private static void checkScope(Caller caller, RoutingRequest request) {
        var scope = READING.contains(request.prologue().method().text()) ? Scope.READ : Scope.RUN;
        if (!caller.may(scope)) {
            throw new Rejected(new Problem(
                    403,
                    "forbidden",
                    "this token may not do that; it lacks the scope "
                            + scope.name().toLowerCase(Locale.ROOT)));
        }
    }

    private static Optional<String> secret(RoutingRequest request) {
        var headers = request.headers();
        for (var key : KEYS) {
            if (headers.contains(key)) {
                return headers.first(key);
            }
        }
        var authorization = headers.first(HeaderNames.AUTHORIZATION);
        return isRegistry(request.path().path()) && authorization.isPresent()
                ? registrySecret(authorization.get())
                : authorization.flatMap(Doorkeeper::bearer);
    }

    /// A token, with the name of its scheme before it or without, as minibox's clients may send it.
    private static Optional<String> bearer(String authorization) {
        if (authorization.startsWith("Bearer ")) {
            return Optional.of(authorization.substring("Bearer ".length()).strip());
        }
        return authorization.strip().indexOf(' ') < 0 ? Optional.of(authorization.strip()) : Optional.empty();
    }

    /// Clients of registries know a name and a password; the password is the token, the name is nobody's.
    private static Optional<String> registrySecret(String authorization) {
        if (!authorization.regionMatches(true, 0, "Basic ", 0, "Basic ".length())) {
            return bearer(authorization);
        }
        try {
            var encoded = authorization.substring("Basic ".length()).strip();
            var pair = new String(Base64.getDecoder().decode(encoded), StandardCharsets.UTF_8);
            var colon = pair.indexOf(':');
            return colon < 0 ? Optional.empty() : Optional.of(pair.substring(colon + 1));
        } catch (IllegalArgumentException _) {
            return Optional.empty();
        }
    }

    private static boolean isRegistry(String path) {
        return path.equals("/v2") || path.startsWith("/v2/");
    }

    private static Rejected unauthorized(RoutingRequest request, Optional<String> secret) {
        var detail = "Missing Authorization header";
        if (secret.isPresent()) {
            detail = "Invalid API key";
        } else if (request.headers().contains(HeaderNames.AUTHORIZATION)) {
            detail = "Invalid authorization format. Use: Bearer <api_key>";
        }
        return new Rejected(new Problem(401, "unauthorized", detail, "Authorization", 0));
    }

    static String withoutPort(String host) {
        var plain = host.toLowerCase(Locale.ROOT);
        if (plain.startsWith("[")) {
            var end = plain.indexOf(']');
            return end < 0 ? plain : plain.substring(1, end);
        }
        var colon = plain.lastIndexOf(':');
        return colon < 0 ? plain : plain.substring(0, colon);
    }
}
