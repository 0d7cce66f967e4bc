package dev.bobbin.scheduler.http.v1;

import dev.bobbin.image.Credentials;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.Platform;
import dev.bobbin.image.store.PrunePolicy;
import dev.bobbin.image.store.PullPolicy;
import dev.bobbin.scheduler.dispatch.ImageDirectory.Whose;
import dev.bobbin.scheduler.http.exchange.JsonInput;
import dev.bobbin.scheduler.http.exchange.Rejected;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The body of a request about images. Which fields it may have is its route's to say.
final class ImageRequest {
    static final Set<String> PULL = Set.of("image", "policy", "platform", "credentials", "shared");
    static final Set<String> PUSH = Set.of("image", "to", "credentials");
    static final Set<String> TAG = Set.of("image", "name", "shared");
    static final Set<String> PRUNE = Set.of("unused_for", "keep");

    private static final Set<String> CREDENTIALS = Set.of("username", "password", "identity_token", "registry_token");

    private @Nullable ImageReference image;
    private @Nullable ImageReference name;
    private @Nullable ImageReference to;
    private PullPolicy policy = PullPolicy.ALWAYS;
    private @Nullable Platform platform;
    private @Nullable Credentials credentials;
    private @Nullable Duration unusedFor;
    private @Nullable Long keepBytes;
    private boolean shared;

    private ImageRequest() {}

    static ImageRequest read(byte[] body, Set<String> fields) {
        var request = new ImageRequest();
        if (body.length > 0 || !fields.equals(PRUNE)) {
            JsonInput.readObject(body, fields, request::field);
        }
        return request;
    }

    ImageReference image() {
        return required("image", image);
    }

    /// The name that `image` gets.
    ImageReference name() {
        return required("name", name);
    }

    /// Where to push; the image's own name if nothing is said.
    ImageReference to() {
        return to == null ? image() : to;
    }

    PullPolicy policy() {
        return policy;
    }

    @Nullable
    Platform platform() {
        return platform;
    }

    @Nullable
    Credentials credentials() {
        return credentials;
    }

    Whose whose() {
        return shared ? Whose.EVERYBODYS : Whose.CALLERS;
    }

    PrunePolicy prunePolicy() {
        return new PrunePolicy(unusedFor, keepBytes);
    }

    /// What a `pull` field says.
    static PullPolicy policy(JsonInput value) throws IOException {
        return switch (value.string()) {
            case "missing" -> PullPolicy.MISSING;
            case "always" -> PullPolicy.ALWAYS;
            case "never" -> PullPolicy.NEVER;
            default -> throw value.wrong("must be \"missing\", \"always\" or \"never\"");
        };
    }

    static ImageReference reference(JsonInput value) throws IOException {
        var text = value.string();
        try {
            return new ImageReference(text);
        } catch (IllegalArgumentException e) {
            throw value.wrong(String.valueOf(e.getMessage()));
        }
    }

    private void field(String field, JsonInput value) throws IOException {
        switch (field) {
            case "image" -> image = reference(value);
            case "name" -> name = reference(value);
            case "to" -> to = reference(value);
            case "policy" -> policy = policy(value);
            case "platform" -> platform = platform(value);
            case "credentials" -> credentials = credentials(value);
            case "unused_for" -> unusedFor = Quantity.duration(value);
            case "keep" -> keepBytes = Quantity.bytes(value);
            default -> shared = value.bool();
        }
    }

    private static Platform platform(JsonInput value) throws IOException {
        try {
            return Platform.parse(value.string());
        } catch (IllegalArgumentException e) {
            throw value.wrong(String.valueOf(e.getMessage()));
        }
    }

    /// `{username, password}`, `{identity_token}` or `{registry_token}`; an empty object shows nobody.
    private static Credentials credentials(JsonInput value) throws IOException {
        var given = new HashMap<String, String>();
        value.object(CREDENTIALS, (field, each) -> given.put(field, each.string()));
        var kinds = Map.of(
                Set.of("username", "password"), "password",
                Set.of("identity_token"), "identity",
                Set.of("registry_token"), "registry",
                Set.<String>of(), "anonymous");
        try {
            return switch (kinds.getOrDefault(given.keySet(), "")) {
                case "password" ->
                    new Credentials.Password(given.getOrDefault("username", ""), given.getOrDefault("password", ""));
                case "identity" -> new Credentials.IdentityToken(given.getOrDefault("identity_token", ""));
                case "registry" -> new Credentials.RegistryToken(given.getOrDefault("registry_token", ""));
                case "anonymous" -> Credentials.ANONYMOUS;
                default ->
                    throw Rejected.invalid(
                            "credentials",
                            "credentials: are username and password, or an identity_token, or a registry_token");
            };
        } catch (IllegalArgumentException e) {
            throw Rejected.invalid("credentials", "credentials: " + e.getMessage());
        }
    }

    private static ImageReference required(String field, @Nullable ImageReference value) {
        if (value == null) {
            throw Rejected.invalid(field, field + ": is required");
        }
        return value;
    }
}
