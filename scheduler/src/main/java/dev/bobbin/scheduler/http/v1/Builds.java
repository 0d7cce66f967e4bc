package dev.bobbin.scheduler.http.v1;

import dev.bobbin.image.store.PullPolicy;
import dev.bobbin.runner.Attempt;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.build.BuildContext;
import dev.bobbin.runner.build.BuildException;
import dev.bobbin.runner.build.PlannedBuild;
import dev.bobbin.scheduler.dispatch.Dispatcher;
import dev.bobbin.scheduler.dispatch.ImageDirectory;
import dev.bobbin.scheduler.dispatch.ImageDirectory.Whose;
import dev.bobbin.scheduler.http.exchange.Body;
import dev.bobbin.scheduler.http.exchange.Exchange;
import dev.bobbin.scheduler.http.exchange.JsonInput;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.tenant.Caller;
import dev.bobbin.scheduler.tenant.Scope;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/// Images made from recipes: `POST /v1/builds`. The body is the context as a tar archive, which goes to the disk as it
/// comes, or JSON with the recipe in it.
final class Builds {
    private static final int LARGEST_JSON = 4 * 1024 * 1024;
    private static final int MOST_FILES = 10_000;
    private static final Set<String> FIELDS = Set.of("recipe", "files");

    private final Dispatcher dispatcher;
    private final ImageDirectory images;
    private final JobAnswer answers;

    Builds(Dispatcher dispatcher, ImageDirectory images, JobAnswer answers) {
        this.dispatcher = dispatcher;
        this.images = images;
        this.answers = answers;
    }

    void build(ServerRequest request, ServerResponse response) {
        var rendition = Rendition.of(request, Rendition.JSON);
        var asked = BuildQuery.read(request);
        var caller = Exchange.caller(request);
        dispatcher.builds().closed().ifPresent(refusal -> {
            throw new Rejected(Problem.of(refusal));
        });
        try (var reply = answers.reply(rendition, response)) {
            var build = planned(request, asked, caller);
            var execution = begin(build, asked, caller);
            answers.started(execution, reply);
        } catch (BuildException e) {
            throw new Rejected(Problem.of(e));
        } catch (InterruptedException | CancellationException e) {
            throw new CloseConnectionException("nobody waits for the answer, or the server is stopping", e);
        }
    }

    private PlannedBuild planned(ServerRequest request, BuildQuery asked, Caller caller) throws InterruptedException {
        try {
            var spelled = isJson(request) ? Spelled.read(request) : null;
            BuildContext context =
                    spelled == null ? received(request) : dispatcher.builds().receive(spelled.files);
            return dispatcher
                    .builds()
                    .plan(
                            asked.request(caller, spelled == null ? null : spelled.recipe),
                            context,
                            image ->
                                    images.pull(image, PullPolicy.MISSING, null, null, caller, Whose.CALLERS, _ -> {}));
        } catch (IOException | UncheckedIOException e) {
            throw new CloseConnectionException("the context was cut off", e);
        }
    }

    private BuildContext received(ServerRequest request) throws IOException {
        if (!request.content().hasEntity()) {
            throw Rejected.invalid("context", "the body must be a tar archive of the context, or JSON");
        }
        var in = request.content().inputStream();
        var context = dispatcher.builds().receive(in);
        try {
            in.transferTo(java.io.OutputStream.nullOutputStream());
        } catch (IOException | RuntimeException e) {
            context.close();
            throw e;
        }
        return context;
    }

    private static boolean isJson(ServerRequest request) {
        return request.headers()
                .first(HeaderNames.CONTENT_TYPE)
                .filter(type -> type.startsWith("application/json"))
                .isPresent();
    }

    private Execution begin(PlannedBuild build, BuildQuery asked, Caller caller) throws InterruptedException {
        return switch (dispatcher.build(build, asked.onDisconnect(), caller)) {
            case Attempt.Refused refused -> throw new Rejected(Problem.of(refused.refusal()));
            case Attempt.Accepted accepted -> accepted.execution();
        };
    }

    /// Forgets what was built before; `?unused_for=` only what was of no use for so long. For administrators.
    void prune(ServerRequest request, ServerResponse response) {
        if (!Exchange.caller(request).may(Scope.ADMIN)) {
            throw new Rejected(new Problem(403, "forbidden", "only administrators may prune the build cache"));
        }
        var unusedFor = Jobs.query(request, "unused_for")
                .map(text -> Quantity.duration(text)
                        .orElseThrow(
                                () -> Rejected.invalid("unused_for", "unused_for: must be a duration such as \"24h\"")))
                .orElse(Duration.ZERO);
        try {
            var pruned = dispatcher.builds().prune(unusedFor);
            JobAnswer.send(response, json -> {
                json.writeStartObject();
                json.writeNumberField("removed", pruned.entries());
                json.writeNumberField("freed_bytes", pruned.bytes());
                json.writeEndObject();
            });
        } catch (IOException e) {
            throw new UncheckedIOException("prune the build cache", e);
        }
    }

    /// `{recipe, files?}`.
    private static final class Spelled {
        private final Map<String, byte[]> files = new LinkedHashMap<>();
        private @Nullable String recipe;

        static Spelled read(ServerRequest request) {
            var spelled = new Spelled();
            JsonInput.readObject(Body.read(request, LARGEST_JSON), FIELDS, spelled::field);
            if (spelled.recipe == null) {
                throw Rejected.invalid("recipe", "recipe: is required");
            }
            return spelled;
        }

        private void field(String name, JsonInput value) throws IOException {
            if (name.equals("recipe")) {
                recipe = value.string();
            } else {
                value.strings(MOST_FILES)
                        .forEach((path, text) -> files.put(path, text.getBytes(StandardCharsets.UTF_8)));
            }
        }
    }
}
