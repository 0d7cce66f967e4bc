package dev.bobbin.image;

import java.util.Optional;
import java.util.regex.Pattern;

/// The name by which a caller asks for an image, as written: `host`, `busybox:1.36`,
/// `registry.example/team/app@sha256:…`.
/// The grammar is that of the OCI distribution specification; a name outside it is an [IllegalArgumentException]
/// whose message says what is wrong.
public record ImageReference(String text) {
    private static final int LONGEST_NAME = 255;
    /// The registry of names that name none.
    public static final String DOCKER = "docker.io";
    private static final Pattern REGISTRY = Pattern.compile(
            "(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\\[[0-9a-fA-F:]+])(?::[0-9]{1,5})?");
    private static final Pattern REPOSITORY =
            Pattern.compile("[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*)*");
    private static final Pattern TAG = Pattern.compile("[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}");

    /// The name of the built-in image: this machine's own programs, read-only. Reserved in every API.
    public static final ImageReference HOST = new ImageReference("host");

    public ImageReference {
        Parts.of(text);
    }

    /// Names `repository` of `registry` by tag or digest.
    public static ImageReference of(String registry, String repository, String tagOrDigest) {
        return new ImageReference(registry + "/" + repository + (tagOrDigest.contains(":") ? "@" : ":") + tagOrDigest);
    }

    /// Whether it is exactly `host`, the built-in image.
    public boolean isHost() {
        return text.equals("host");
    }

    /// Whether no other image may have this name: `host` under any tag or digest.
    public boolean isReserved() {
        return Parts.of(text).path.equals("host") && !hasRegistry();
    }

    /// Whether the registry is named, rather than understood.
    public boolean hasRegistry() {
        return !Parts.of(text).registry.isEmpty();
    }

    /// The registry's host, with its port if that is named; `docker.io` if none is.
    public String registry() {
        var written = Parts.of(text).registry;
        return written.isEmpty() || written.equals("index.docker.io") ? DOCKER : written;
    }

    /// The path in the registry: `library/busybox`.
    public String repository() {
        var path = Parts.of(text).path;
        return registry().equals(DOCKER) && path.indexOf('/') < 0 ? "library/" + path : path;
    }

    /// The path as it was written, without registry: `busybox`.
    public String path() {
        return Parts.of(text).path;
    }

    /// The tag; `latest` when there is neither tag nor digest, nothing when there is only a digest.
    public Optional<String> tag() {
        var parts = Parts.of(text);
        if (parts.tag.isEmpty()) {
            return parts.digest.isEmpty() ? Optional.of("latest") : Optional.empty();
        }
        return Optional.of(parts.tag);
    }

    public Optional<Digest> digest() {
        var written = Parts.of(text).digest;
        return written.isEmpty() ? Optional.empty() : Optional.of(Digest.parse(written));
    }

    /// One spelling for all names of the same thing: `docker.io/library/busybox:latest`. A digest makes the tag moot.
    public String canonical() {
        var name = registry() + "/" + repository();
        return digest().map(digest -> name + "@" + digest).orElseGet(() -> name + ":" + tag().orElseThrow());
    }

    /// The same repository, under a digest.
    public ImageReference at(Digest digest) {
        return of(registry(), repository(), digest.text());
    }

    @Override
    public String toString() {
        return text;
    }

    private record Parts(String registry, String path, String tag, String digest) {
        static Parts of(String text) {
            require(!text.isEmpty(), "an image name must not be empty");
            var at = text.indexOf('@');
            var digest = at < 0 ? "" : text.substring(at + 1);
            if (at >= 0) {
                Digest.parse(digest);
            }
            var named = at < 0 ? text : text.substring(0, at);
            var colon = named.lastIndexOf(':');
            var tagged = colon > named.lastIndexOf('/');
            var tag = tagged ? named.substring(colon + 1) : "";
            require(!tagged || TAG.matcher(tag).matches(), "a tag has 1 to 128 letters, digits and _ . -");
            var name = tagged ? named.substring(0, colon) : named;
            require(name.length() <= LONGEST_NAME, "an image name has at most " + LONGEST_NAME + " characters");
            var slash = name.indexOf('/');
            var first = slash < 0 ? "" : name.substring(0, slash);
            var registry = isRegistry(first) ? first : "";
            require(
                    registry.isEmpty() || REGISTRY.matcher(registry).matches(),
                    "the registry of an image name is a host, with a port or without");
            var path = registry.isEmpty() ? name : name.substring(slash + 1);
            require(
                    REPOSITORY.matcher(path).matches(),
                    "an image name looks like [registry/]name[:tag][@sha256:digest], in lower case");
            return new Parts(registry, path, tag, digest);
        }

        /// What stands before the first slash is a host if it could not be the beginning of a path.
        private static boolean isRegistry(String first) {
            return first.indexOf('.') >= 0
                    || first.indexOf(':') >= 0
                    || first.equals("localhost")
                    || first.chars().anyMatch(c -> c >= 'A' && c <= 'Z');
        }

        private static void require(boolean holds, String otherwise) {
            if (!holds) {
                throw new IllegalArgumentException(otherwise);
            }
        }
    }
}
