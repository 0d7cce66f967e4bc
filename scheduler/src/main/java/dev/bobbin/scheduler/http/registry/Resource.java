package dev.bobbin.scheduler.http.registry;

import java.util.Optional;
import java.util.regex.Pattern;

/// What a path below `/v2/` names.
sealed interface Resource {
    String repository();

    /// A manifest, by tag or digest.
    record Manifest(String repository, String tagOrDigest) implements Resource {}

    record Blob(String repository, String digest) implements Resource {}

    record Tags(String repository) implements Resource {}

    /// What refers to a manifest: signatures and the like, of which none are kept.
    record Referrers(String repository, String digest) implements Resource {}

    Pattern REPOSITORY =
            Pattern.compile("[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*)*");

    int LONGEST_REPOSITORY = 255;

    /// Reads what follows `/v2/`. A repository has slashes of its own, so the path is read from its end.
    static Optional<Resource> parse(String path) {
        if (path.endsWith("/tags/list")) {
            return named(path.substring(0, path.length() - "/tags/list".length()))
                    .map(Tags::new);
        }
        var last = path.lastIndexOf('/');
        var kind = path.lastIndexOf('/', last - 1);
        if (kind < 1) {
            return Optional.empty();
        }
        var leaf = path.substring(last + 1);
        var name = named(path.substring(0, kind));
        return switch (path.substring(kind + 1, last)) {
            case "manifests" -> name.map(repository -> new Manifest(repository, leaf));
            case "blobs" -> name.map(repository -> new Blob(repository, leaf));
            case "referrers" -> name.map(repository -> new Referrers(repository, leaf));
            default -> Optional.empty();
        };
    }

    private static Optional<String> named(String repository) {
        return repository.length() <= LONGEST_REPOSITORY
                        && REPOSITORY.matcher(repository).matches()
                ? Optional.of(repository)
                : Optional.empty();
    }
}
