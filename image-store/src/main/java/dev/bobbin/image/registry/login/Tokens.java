package dev.bobbin.image.registry.login;

import dev.bobbin.image.Credentials;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageProblem;
import dev.bobbin.image.registry.wire.AddressPolicy.Reach;
import dev.bobbin.image.registry.wire.Origin;
import dev.bobbin.image.registry.wire.Referrals;
import dev.bobbin.image.registry.wire.Request;
import dev.bobbin.image.registry.wire.Wire;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/// The short-lived tokens that token servers give, kept by registry, scope and credentials until they expire.
public final class Tokens {
    private static final int MOST = 1_000;
    private static final int LONGEST_ANSWER = 1 << 20;
    private static final Duration ANSWER = Duration.ofSeconds(10);
    private static final long SHORTEST_SECONDS = 60;
    private static final long LONGEST_SECONDS = 3_600;

    private final Wire wire;
    private final Referrals referrals;
    private final Map<String, Set<String>> hosts;
    private final Map<Key, Kept> kept = new LinkedHashMap<>(16, 0.75f, true);

    /// Of many who want the same token at once, one asks and the others wait for it.
    private final List<Lock> locks =
            Stream.<Lock>generate(ReentrantLock::new).limit(64).toList();

    /// @param hosts by registry, hosts beside its own domain that may be shown its credentials
    public Tokens(Wire wire, Referrals referrals, Map<String, Set<String>> hosts) {
        this.wire = wire;
        this.referrals = referrals;
        this.hosts = Map.copyOf(hosts);
    }

    /// A token that was given before and still counts.
    public synchronized Optional<String> known(Origin registry, String scope, Credentials credentials) {
        var key = new Key(registry, scope, credentials);
        var found = kept.get(key);
        if (found != null && found.until - System.nanoTime() <= 0) {
            kept.remove(key);
            found = null;
        }
        return Optional.ofNullable(found).map(Kept::token);
    }

    /// Forgets a token that the registry no longer takes, unless another has taken its place.
    public synchronized void forget(Origin registry, String scope, Credentials credentials, String token) {
        var key = new Key(registry, scope, credentials);
        var found = kept.get(key);
        if (found != null && found.token.equals(token)) {
            kept.remove(key);
        }
    }

    /// A token from the server that `challenge` names.
    ///
    /// @param asked the request that was answered with the challenge
    /// @param reach what its server may refer to
    /// @param scope what it must allow; the challenge's counts only where that names the repository otherwise
    public String obtain(Challenge challenge, URI asked, Reach reach, String scope, Credentials credentials)
            throws IOException {
        var key = new Key(Origin.of(asked), scope, credentials);
        var lock = locks.get(Math.floorMod(key.hashCode(), locks.size()));
        lock.lock();
        try {
            var known = known(key.registry, scope, credentials);
            return known.isPresent() ? known.get() : fetch(challenge, asked, reach, key);
        } finally {
            lock.unlock();
        }
    }

    private String fetch(Challenge challenge, URI asked, Reach reach, Key key) throws IOException {
        var credentials = key.credentials;
        var scope = key.scope;
        var registry = key.registry;
        var realm = referrals.judge(
                asked,
                challenge.parameter("realm").orElseThrow(() -> ImageException.invalid(registry + " names no realm")));
        if (!(credentials instanceof Credentials.Anonymous)) {
            requireTrusted(registry, Origin.of(realm));
        }
        var same = scope.substring(0, scope.lastIndexOf(':') + 1);
        var wanted =
                challenge.parameter("scope").filter(said -> said.startsWith("repository:") && !said.startsWith(same));
        var service = challenge.parameter("service").orElse("");
        var request = request(realm, service, wanted.orElse(scope), credentials);
        try (var response = wire.send(request.within(ANSWER), reach)) {
            switch (response.status()) {
                case 200 -> {}
                case 400, 401, 403 ->
                    throw new ImageException(
                            ImageProblem.UNAUTHORIZED, Origin.of(realm) + " gives no token for " + scope);
                default -> throw new IOException(Origin.of(realm) + " answered " + response.status());
            }
            var bytes = response.bytes(LONGEST_ANSWER, ANSWER);
            if (bytes == null) {
                throw ImageException.invalid("the token of " + Origin.of(realm) + " is longer than any is");
            }
            return keep(key, bytes, Origin.of(realm));
        }
    }

    /// Credentials go to the registry's host, one above or below it in its domain, or one that was configured. Two
    /// hosts
    /// side by side in a domain may belong to strangers, as all that live below a cloud's do.
    private void requireTrusted(Origin registry, Origin realm) {
        var own = registry.host();
        var other = realm.host();
        var related = own.equals(other)
                || (!realm.literal() && !registry.literal() && (below(own, other) || below(other, own)))
                || (own.equals("registry-1.docker.io") && other.equals("auth.docker.io"));
        var configured = hosts.getOrDefault(registry.authority(), hosts.getOrDefault(own, Set.of()));
        if (!related && !configured.contains(other) && !configured.contains(realm.authority())) {
            throw new ImageException(
                    ImageProblem.UNAUTHORIZED,
                    "the registry " + registry.authority() + " wants its credentials shown to " + realm.authority()
                            + ", which is not configured as a token host of it");
        }
    }

    private static boolean below(String name, String domain) {
        return name.endsWith("." + domain) && domain.indexOf('.') > 0;
    }

    private static Request request(URI realm, String service, String scope, Credentials credentials) {
        var query = "service=" + escape(service) + (scope.isEmpty() ? "" : "&scope=" + escape(scope));
        if (credentials instanceof Credentials.IdentityToken(var token)) {
            var form = (query + "&client_id=bobbin&grant_type=refresh_token&refresh_token=" + escape(token))
                    .getBytes(StandardCharsets.US_ASCII);
            return Request.of("POST", realm)
                    .with("Content-Type", "application/x-www-form-urlencoded")
                    .with(form.length, () -> new ByteArrayInputStream(form));
        }
        var account = credentials instanceof Credentials.Password(var user, var _) ? "&account=" + escape(user) : "";
        var joined = realm.getRawQuery() == null ? "?" : "&";
        var bare = realm.toString();
        var fragment = bare.indexOf('#');
        var request = Request.of(
                "GET", URI.create((fragment < 0 ? bare : bare.substring(0, fragment)) + joined + query + account));
        return credentials instanceof Credentials.Password password
                ? request.with("Authorization", basic(password))
                : request;
    }

    /// The value of `Authorization` that shows a name and a password.
    public static String basic(Credentials.Password password) {
        var pair = password.user() + ":" + password.password();
        return "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
    }

    private String keep(Key key, byte[] answer, Origin realm) {
        var node = JsonText.object(answer);
        var token = node.flatMap(it -> JsonText.text(it, "token").or(() -> JsonText.text(it, "access_token")))
                .filter(text -> text.chars().allMatch(c -> c > ' ' && c < 0x7f))
                .orElseThrow(() -> ImageException.invalid(realm + " gives something that is no token"));
        var said = node.map(it -> it.path("expires_in").asLong(0)).orElse(0L);
        var seconds = Math.clamp(said, SHORTEST_SECONDS, LONGEST_SECONDS);
        synchronized (this) {
            // used for nine tenths of its life: the rest is for requests under way
            kept.put(
                    key,
                    new Kept(
                            token,
                            System.nanoTime()
                                    + Duration.ofSeconds(seconds * 9 / 10).toNanos()));
            if (kept.size() > MOST) {
                kept.remove(kept.keySet().iterator().next());
            }
        }
        return token;
    }

    private static String escape(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    private record Key(Origin registry, String scope, Credentials credentials) {}

    private record Kept(String token, long until) {}
}
