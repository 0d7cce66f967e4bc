package dev.bobbin.image.registry;

import dev.bobbin.image.Descriptor;
import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageManifest;
import dev.bobbin.image.ImageProblem;
import dev.bobbin.image.MediaTypes;
import dev.bobbin.image.registry.Resolved.Document;
import dev.bobbin.image.registry.login.JsonText;
import dev.bobbin.image.registry.wire.Response;
import java.io.IOException;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Fetches manifests and indexes: bounded, and exactly what was asked for.
final class Manifests {
    private static final String ACCEPT = String.join(", ", MediaTypes.MANIFESTS_AND_INDEXES);
    private static final Set<String> UNSPECIFIC =
            Set.of("", "application/json", "text/plain", "application/octet-stream", "text/plain; charset=utf-8");

    private static final Duration WHOLE = Duration.ofSeconds(10);

    private Manifests() {}

    /// What a tag means now.
    static Document byTag(Repository repository, String tag, Retry retry) {
        return fetch(repository, tag, null, retry);
    }

    /// The document that has this digest.
    static Document byDigest(Repository repository, Digest digest, Retry retry) {
        return fetch(repository, digest.text(), digest, retry);
    }

    /// The document that an index describes.
    static Document described(Repository repository, Descriptor descriptor, Retry retry) {
        var size = descriptor.size();
        if (size > ImageManifest.LONGEST) {
            throw ImageException.invalid(
                    "manifest " + descriptor.digest() + " has " + size + " bytes, more than " + ImageManifest.LONGEST);
        }
        var found = byDigest(repository, descriptor.digest(), retry);
        if (found.bytes().length != size) {
            throw ImageException.wrongSize(descriptor.digest(), size, Integer.toString(found.bytes().length));
        }
        if (!found.descriptor().mediaType().equals(descriptor.mediaType())) {
            throw ImageException.invalid("manifest " + descriptor.digest() + " is announced as "
                    + descriptor.mediaType() + " and sent as "
                    + found.descriptor().mediaType());
        }
        return found;
    }

    private static Document fetch(Repository repository, String reference, @Nullable Digest expected, Retry retry) {
        var request = repository.request("GET", "manifests/" + reference, it -> it.with("Accept", ACCEPT));
        return repository.call(request, "pull", retry, response -> {
            if (response.status() != 200) {
                throw repository.refused(response, "asked for " + repository.path() + " " + reference);
            }
            try (response) {
                return read(response, expected);
            }
        });
    }

    private static Document read(Response response, @Nullable Digest expected) throws IOException {
        Repository.requirePlain(response);
        var bytes = response.bytes(ImageManifest.LONGEST, WHOLE);
        if (bytes == null) {
            throw ImageException.invalid("manifest is longer than " + ImageManifest.LONGEST + " bytes");
        }
        var digest = digest(expected == null ? "sha256" : expected.algorithm(), bytes);
        if (expected != null && !digest.equals(expected)) {
            throw ImageException.wrongDigest(expected, digest);
        }
        var claimed = response.headers().first("Docker-Content-Digest");
        if (expected == null && claimed.isPresent() && !claimed.get().equals(claimed(claimed.get(), bytes))) {
            throw ImageException.invalid("manifest is announced by a digest that it does not have: it has " + digest);
        }
        return new Document(new Descriptor(mediaType(response, bytes), digest, bytes.length), bytes);
    }

    private static Digest digest(String algorithm, byte[] bytes) {
        var hasher = Digest.hasher(algorithm);
        hasher.update(bytes);
        return Digest.of(algorithm, hasher);
    }

    /// The digest of `bytes` by the algorithm of a claimed one.
    private static String claimed(String claim, byte[] bytes) {
        try {
            return digest(Digest.parse(claim).algorithm(), bytes).text();
        } catch (IllegalArgumentException e) {
            throw ImageException.invalid("manifest is announced by something that is no digest");
        }
    }

    /// What the server says it is; where it says nothing in particular, what the document says itself.
    private static String mediaType(Response response, byte[] bytes) {
        var said = response.headers().first("Content-Type").orElse("").toLowerCase(Locale.ROOT);
        var semicolon = said.indexOf(';');
        var type = (semicolon < 0 ? said : said.substring(0, semicolon)).strip();
        if (!UNSPECIFIC.contains(type)) {
            return type;
        }
        var document =
                JsonText.object(bytes).orElseThrow(() -> ImageException.invalid("manifest is not a JSON object"));
        return JsonText.text(document, "mediaType").orElseGet(() -> {
            if (document.has("manifests") == document.has("layers")) {
                throw new ImageException(ImageProblem.INVALID, "manifest does not say what it is");
            }
            return document.has("manifests") ? MediaTypes.OCI_INDEX : MediaTypes.OCI_MANIFEST;
        });
    }
}
