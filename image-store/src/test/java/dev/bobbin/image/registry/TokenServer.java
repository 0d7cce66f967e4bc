package dev.bobbin.image.registry;

import static dev.bobbin.image.registry.LyingRegistry.fixed;
import static dev.bobbin.image.registry.LyingRegistry.status;
import static dev.bobbin.image.registry.LyingRegistry.text;

import dev.bobbin.image.Credentials;
import dev.bobbin.image.registry.login.Tokens;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.time.Instant;
import java.util.Base64;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// A token server as `docker-registry` believes it: signed tokens, for whoever shows the one right password.
final class TokenServer implements AutoCloseable {
    private static final Pattern SCOPE = Pattern.compile("scope=repository:([^:&]+):([a-z,]+)");
    private static final Base64.Encoder URL = Base64.getUrlEncoder().withoutPadding();

    private final LyingRegistry server;
    private final Certificates certificates;
    private final String allowed;

    TokenServer(Certificates certificates, Credentials.Password allowed) throws IOException {
        this.certificates = certificates;
        this.allowed = Tokens.basic(allowed);
        this.server = LyingRegistry.at(Town.LOOPBACK).on("/token", (asked, out) -> {
            var shown = asked.headers().get("authorization");
            var answer = allowed(shown) ? fixed(200, text(token(asked.target()))) : status(401);
            answer.to(asked, out);
        });
    }

    private boolean allowed(@Nullable String shown) {
        return allowed.equals(shown);
    }

    String realm() {
        return "http://127.0.0.1:" + server.port() + "/token";
    }

    LyingRegistry server() {
        return server;
    }

    private String token(String target) {
        var scope = SCOPE.matcher(URLDecoder.decode(target, StandardCharsets.UTF_8));
        var access = scope.find()
                ? "{\"type\":\"repository\",\"name\":\"%s\",\"actions\":[\"%s\"]}"
                        .formatted(scope.group(1), scope.group(2).replace(",", "\",\""))
                : "";
        var now = Instant.now().getEpochSecond();
        try {
            var certificate = Base64.getEncoder()
                    .encodeToString(certificates.store().getCertificate("own").getEncoded());
            var signed = part("{\"typ\":\"JWT\",\"alg\":\"RS256\",\"x5c\":[\"" + certificate + "\"]}") + "."
                    + part(
                            "{\"iss\":\"tests\",\"sub\":\"alice\",\"aud\":\"registry\",\"exp\":%d,\"nbf\":%d,\"iat\":%d,\"jti\":\"%d\",\"access\":[%s]}"
                                    .formatted(now + 300, now - 10, now, System.nanoTime(), access));
            var signature = Signature.getInstance("SHA256withRSA");
            signature.initSign((PrivateKey) certificates.store().getKey("own", Certificates.PASSWORD));
            signature.update(text(signed));
            return "{\"token\":\"" + signed + "." + URL.encodeToString(signature.sign()) + "\",\"expires_in\":300}";
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("sign a token", e);
        }
    }

    private static String part(String json) {
        return URL.encodeToString(text(json));
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
