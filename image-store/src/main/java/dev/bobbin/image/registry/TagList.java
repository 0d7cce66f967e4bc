package dev.bobbin.image.registry;

import dev.bobbin.image.ImageException;
import dev.bobbin.image.registry.login.JsonText;
import dev.bobbin.image.registry.wire.Origin;
import dev.bobbin.image.registry.wire.Request;
import dev.bobbin.image.registry.wire.Response;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The tags of a repository, page by page.
final class TagList {
    private static final int LONGEST_PAGE = 8 << 20;
    private static final int MOST_PAGES = 200;
    private static final Pattern NEXT = Pattern.compile("<([^<>]{1,4096})>\\s*;\\s*rel=\"?next\"?.*");
    private static final Pattern TAG = Pattern.compile("[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}");

    private final Repository repository;
    private final List<String> tags = new ArrayList<>();

    TagList(Repository repository) {
        this.repository = repository;
    }

    List<String> read(Retry retry) {
        var page = repository.request("GET", "tags/list?n=1000", it -> it);
        for (var pages = 0; page != null; pages++) {
            if (pages == MOST_PAGES) {
                throw ImageException.invalid(repository.upstream().name() + " lists tags without end");
            }
            page = repository.call(page, "pull", retry, this::take).function();
        }
        return List.copyOf(tags);
    }

    private Next take(Response response) throws IOException {
        if (response.status() != 200) {
            throw repository.refused(response, "asked for the tags of " + repository.path());
        }
        try (response) {
            var bytes = response.bytes(LONGEST_PAGE, Duration.ofSeconds(30));
            var list = Optional.ofNullable(bytes)
                    .flatMap(JsonText::object)
                    .orElseThrow(() -> ImageException.invalid(response.origin() + " gives no list of tags"));
            for (var tag : list.path("tags")) {
                if (TAG.matcher(tag.asText()).matches()) {
                    tags.add(tag.asText());
                }
            }
            return next(response);
        }
    }

    /// The page that `Link` names, if it is the registry's own.
    private static Next next(Response response) {
        var link = NEXT.matcher(response.headers().first("Link").orElse(""));
        if (!link.matches()) {
            return new Next(null);
        }
        try {
            var uri = response.origin().at("/").resolve(URI.create(link.group(1)));
            if (Origin.of(uri).equals(response.origin())) {
                return new Next(_ -> Request.of("GET", uri));
            }
        } catch (IllegalArgumentException e) {
            // told below
        }
        throw ImageException.invalid(response.origin() + " continues its tags elsewhere");
    }

    private record Next(@Nullable Function<Origin, Request> function) {}
}
