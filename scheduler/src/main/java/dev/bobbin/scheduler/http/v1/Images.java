package dev.bobbin.scheduler.http.v1;

import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageProblem;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.store.Image;
import dev.bobbin.scheduler.dispatch.ImageDirectory;
import dev.bobbin.scheduler.dispatch.ImageDirectory.Whose;
import dev.bobbin.scheduler.http.exchange.Body;
import dev.bobbin.scheduler.http.exchange.Exchange;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.tenant.Caller;
import dev.bobbin.scheduler.tenant.Scope;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Comparator;
import java.util.Optional;

/// Images that are here: which there are, what they are, their names.
///
/// A reference has slashes and colons, so it is the rest of the path behind `/v1/images/`, as it is or with any of it
/// percent-encoded. `save` alone is a route; an image of that name is written `save:latest`.
final class Images {
    static final int LARGEST_REQUEST = 64 * 1024;

    private static final String PREFIX = "/v1/images/";
    private static final int MOST_ITEMS = 1_000;

    private final ImageDirectory images;

    Images(ImageDirectory images) {
        this.images = images;
    }

    void list(ServerRequest request, ServerResponse response) {
        var after = query(request, "cursor").map(Images::decoded).orElse("");
        var limit = query(request, "limit").map(Images::limit).orElse(MOST_ITEMS);
        var all = images.list(Exchange.caller(request)).stream()
                .filter(image -> after.isEmpty() || position(image).compareTo(after) > 0)
                .sorted(Comparator.comparing(Images::position))
                .toList();
        var items = all.subList(0, Math.min(limit, all.size()));
        JobAnswer.send(response, json -> {
            json.writeStartObject();
            json.writeArrayFieldStart("items");
            for (var image : items) {
                ImageJson.item(json, image);
            }
            json.writeEndArray();
            if (items.size() < all.size()) {
                json.writeStringField("next_cursor", encoded(position(items.getLast())));
            } else {
                json.writeNullField("next_cursor");
            }
            json.writeEndObject();
        });
    }

    void inspect(ServerRequest request, ServerResponse response) {
        var caller = Exchange.caller(request);
        var reference = reference(request);
        var image = images.find(reference, caller).orElseThrow(() -> absent(reference));
        var names = images.list(caller).stream()
                .filter(other -> other.digest().equals(image.digest()))
                .map(Image::reference)
                .toList();
        var manifest = images.manifest(image, caller).orElse(null);
        JobAnswer.send(response, json -> ImageJson.whole(json, image, names, manifest));
    }

    void tag(ServerRequest request, ServerResponse response) {
        var asked = ImageRequest.read(Body.read(request, LARGEST_REQUEST), ImageRequest.TAG);
        var caller = allowed(Exchange.caller(request), asked.whose());
        var image = images.tag(asked.image(), asked.name(), caller, asked.whose());
        response.status(Status.CREATED_201);
        JobAnswer.send(response, json -> ImageJson.item(json, image));
    }

    void remove(ServerRequest request, ServerResponse response) {
        var reference = reference(request);
        var whose = whose(request);
        var caller = allowed(Exchange.caller(request), whose);
        if (!images.remove(reference, caller, whose)) {
            if (images.find(reference, caller).isPresent()) {
                throw new Rejected(Problem.forbidden(
                        "image \"" + reference + "\" is everybody's; an administrator removes it with ?shared"));
            }
            throw absent(reference);
        }
        response.status(Status.NO_CONTENT_204).send();
    }

    void prune(ServerRequest request, ServerResponse response) {
        var asked = ImageRequest.read(Body.read(request, LARGEST_REQUEST), ImageRequest.PRUNE);
        var caller = allowed(Exchange.caller(request), Whose.EVERYBODYS);
        var pruned = images.prune(asked.prunePolicy(), caller);
        JobAnswer.send(response, json -> ImageJson.pruned(json, pruned));
    }

    /// The caller, who may do this.
    static Caller allowed(Caller caller, Whose whose) {
        if (whose == Whose.EVERYBODYS && !caller.may(Scope.ADMIN)) {
            throw new Rejected(Problem.forbidden("only an administrator may do that: it concerns everybody"));
        }
        return caller;
    }

    /// `?shared` means everybody's.
    static Whose whose(ServerRequest request) {
        return Jobs.flag(request, "shared") ? Whose.EVERYBODYS : Whose.CALLERS;
    }

    static ImageReference reference(String field, String text) {
        try {
            return new ImageReference(text);
        } catch (IllegalArgumentException e) {
            throw Rejected.invalid(field, field + ": " + e.getMessage());
        }
    }

    private static ImageReference reference(ServerRequest request) {
        return reference("image", request.path().path().substring(PREFIX.length()));
    }

    private static ImageException absent(ImageReference reference) {
        return new ImageException(ImageProblem.NOT_FOUND, "there is no image \"" + reference + "\" in the store");
    }

    /// Where an image stands in the list; the built-in one first, one's own name before everybody's.
    private static String position(Image image) {
        return image.reference().isHost()
                ? "!"
                : image.reference().canonical() + (image.owner().isEmpty() ? "!1" : "!0");
    }

    private static String encoded(String position) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(position.getBytes(StandardCharsets.UTF_8));
    }

    private static String decoded(String cursor) {
        try {
            return new String(Base64.getUrlDecoder().decode(cursor), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException _) {
            throw Rejected.invalid("cursor", "cursor: must be the next_cursor of an earlier answer");
        }
    }

    private static int limit(String text) {
        if (!text.matches("[1-9][0-9]{0,3}")) {
            throw Rejected.invalid("limit", "limit: must be a whole number from 1 to 1000");
        }
        return Math.min(MOST_ITEMS, Integer.parseInt(text));
    }

    private static Optional<String> query(ServerRequest request, String name) {
        return Jobs.query(request, name);
    }
}
