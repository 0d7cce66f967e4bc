package dev.bobbin.scheduler.http.v1;

import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.PullProgress;
import dev.bobbin.image.store.Image;
import dev.bobbin.image.store.PullPolicy;
import dev.bobbin.runner.Attempt;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.RequestKey;
import dev.bobbin.runner.build.BuildContext;
import dev.bobbin.runner.build.BuildException;
import dev.bobbin.runner.build.BuildRequest;
import dev.bobbin.runner.build.Puller;
import dev.bobbin.runner.host.BuildUpload;
import dev.bobbin.scheduler.dispatch.Dispatcher;
import dev.bobbin.scheduler.dispatch.ImageDirectory;
import dev.bobbin.scheduler.dispatch.ImageDirectory.Whose;
import dev.bobbin.scheduler.http.exchange.Body;
import dev.bobbin.scheduler.http.exchange.Exchange;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.http.exchange.Transfer;
import dev.bobbin.scheduler.tenant.Caller;
import dev.bobbin.scheduler.tenant.Scope;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Images made from recipes: `POST /v1/builds`. The body is the context as a tar archive, which goes to the disk as it
/// comes, or JSON with the recipe in it.
final class Builds {
    private final Dispatcher dispatcher;
    private final ImageDirectory images;
    private final JobAnswer answers;

    Builds(Dispatcher dispatcher, ImageDirectory images, JobAnswer answers) {
        this.dispatcher = dispatcher;
        this.images = images;
        this.answers = answers;
    }

    /// Limits of each command whose request says nothing else.
    Limits usualLimits() {
        return dispatcher.builds().usualLimits();
    }

    void build(ServerRequest request, ServerResponse response) {
        var rendition = Rendition.of(request, Rendition.JSON);
        var input = BuildInput.ofQuery(request, usualLimits());
        try (var reply = answers.reply(rendition, response)) {
            if (isJson(request)) {
                spelled(request, input, reply);
            } else {
                sent(request, input, reply);
            }
        } catch (BuildException e) {
            throw new Rejected(Problem.of(e));
        } catch (InterruptedException | CancellationException e) {
            throw new CloseConnectionException("nobody waits for the answer, or the server is stopping", e);
        }
    }

    private static boolean isJson(ServerRequest request) {
        return request.headers()
                .first(HeaderNames.CONTENT_TYPE)
                .filter(type -> type.startsWith("application/json"))
                .isPresent();
    }

    private void spelled(ServerRequest request, BuildInput input, Reply reply) throws InterruptedException {
        var body = Body.read(request, Runs.LARGEST_REQUEST);
        input.readBody(body);
        var caller = Exchange.caller(request);
        new Beginning(input, IdempotencyKey.of(request, body), caller).answer(() -> spelled(input, caller), reply);
    }

    private BuildContext spelled(BuildInput input, Caller caller) throws IOException {
        try (var upload = upload(caller, 0)) {
            return upload.receive(input.files());
        }
    }

    private void sent(ServerRequest request, BuildInput input, Reply reply) throws InterruptedException {
        if (!request.content().hasEntity()) {
            throw Rejected.invalid("context", "the body must be a tar archive of the context, or JSON");
        }
        var word = IdempotencyKey.word(request);
        try {
            if (word != null && isUsed(word, request)) {
                again(request, word, input, reply);
            } else {
                first(request, word, input, reply);
            }
        } catch (IOException | UncheckedIOException e) {
            throw new CloseConnectionException("the context was cut off", e);
        }
    }

    /// Whether something was begun with this word; waits for those who are beginning it.
    private boolean isUsed(String word, ServerRequest request) throws InterruptedException {
        var key = IdempotencyKey.of(request, word, Digest.sha256(""));
        return dispatcher.earlier(key, Exchange.caller(request)).isPresent();
    }

    private void first(ServerRequest request, @Nullable String word, BuildInput input, Reply reply)
            throws IOException, InterruptedException {
        var caller = Exchange.caller(request);
        try (var upload = upload(caller, request.headers().contentLength().orElse(0))) {
            var body = new HashedBody(Body.awaited(request), word != null);
            try (var received = new Received(upload.receive(body))) {
                Body.passOver(body);
                var key = word == null ? null : IdempotencyKey.of(request, word, body.digest());
                new Beginning(input, key, caller).answer(received, reply);
            }
        }
    }

    /// Nothing is kept of the files of a build that was begun before, so they need no place.
    private void again(ServerRequest request, String word, BuildInput input, Reply reply)
            throws IOException, InterruptedException {
        var body = new HashedBody(Body.awaited(request), true);
        body.transferTo(OutputStream.nullOutputStream());
        var key = IdempotencyKey.of(request, word, body.digest());
        new Beginning(input, key, Exchange.caller(request))
                .answer(
                        () -> {
                            var forgotten = "what this key began has just been forgotten; send it again";
                            throw new BuildException(BuildException.Problem.BUSY, 0, forgotten);
                        },
                        reply);
    }

    /// A place for the files of one build; it is asked for before any of them is read.
    private BuildUpload.Open upload(Caller caller, long announced) {
        return switch (dispatcher.builds().upload(caller.tenant().name(), announced)) {
            case BuildUpload.Refused(var refusal) -> throw new Rejected(Problem.of(refusal));
            case BuildUpload.Open open -> open;
        };
    }

    /// Begins one that nobody waits for.
    Attempt detached(BuildInput input, @Nullable RequestKey key, Caller caller) throws InterruptedException {
        try {
            return new Beginning(input, key, caller)
                    .begin(
                            () -> spelled(input, caller),
                            base -> images.pull(base, PullPolicy.MISSING, null, null, caller, Whose.CALLERS, _ -> {}));
        } catch (BuildException e) {
            throw new Rejected(Problem.of(e));
        }
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

    /// Gives the files of a build to whoever closes them.
    @FunctionalInterface
    private interface Files {
        BuildContext take() throws IOException;

        /// They are not needed: somebody else has begun the build.
        default void letGo() throws IOException {}
    }

    /// Files that are here, and gone with this unless somebody takes them.
    private static final class Received implements Files, AutoCloseable {
        private final BuildContext context;
        private boolean taken;

        Received(BuildContext context) {
            this.context = context;
        }

        @Override
        public BuildContext take() {
            taken = true;
            return context;
        }

        @Override
        public void letGo() throws IOException {
            close();
        }

        @Override
        public void close() throws IOException {
            if (!taken) {
                context.close();
            }
        }
    }

    /// One build that is asked for, until it runs.
    private final class Beginning {
        private final BuildRequest request;
        private final Job.OnDisconnect onDisconnect;
        private final @Nullable RequestKey key;
        private final Caller caller;

        Beginning(BuildInput input, @Nullable RequestKey key, Caller caller) {
            this.request = input.toRequest(caller);
            this.onDisconnect = input.onDisconnect();
            this.key = key;
            this.caller = caller;
        }

        /// What is refused once the answer has begun is said in its last frame or line.
        void answer(Files files, Reply reply) throws InterruptedException {
            if (key != null) {
                reply.watch(whenGone());
            }
            try {
                switch (begin(files, base -> bring(base, reply))) {
                    case Attempt.Refused(var refusal) -> refuse(Problem.of(refusal), reply);
                    case Attempt.Accepted(var execution) -> answers.started(execution, reply);
                }
            } catch (BuildException e) {
                refuse(Problem.of(e), reply);
            }
        }

        /// Nobody else with its key begins one meanwhile.
        Attempt begin(Files files, Puller puller) throws InterruptedException {
            try (var _ = dispatcher.turn(key)) {
                var earlier = dispatcher.earlier(key, caller);
                if (earlier.isPresent()) {
                    files.letGo();
                    return earlier.get();
                }
                var build = dispatcher.builds().plan(request, files.take(), puller);
                return dispatcher.build(build, onDisconnect, key, caller);
            } catch (IOException e) {
                throw new UncheckedIOException("keep the files of a build", e);
            }
        }

        private Runnable whenGone() {
            var waiting = Thread.currentThread();
            return onDisconnect == Job.OnDisconnect.KILL ? waiting::interrupt : () -> {};
        }

        private void bring(ImageReference base, Reply reply) throws InterruptedException {
            if (!images.mustPull(base, PullPolicy.MISSING, caller)) {
                return;
            }
            reply.watch(whenGone());
            if (reply.rendition() == Rendition.JSON) {
                pull(base, _ -> {});
                return;
            }
            var news = new PullNews(reply, onDisconnect, step -> tell(base, step, reply));
            try {
                if (reply.rendition() != Rendition.TEXT) {
                    news.say(() -> open(reply));
                }
                Transfer.follow(progress -> pull(base, progress), news);
            } catch (IOException e) {
                throw new CloseConnectionException("the client has gone", e);
            }
        }

        private Image pull(ImageReference base, Consumer<PullProgress> progress) {
            return images.pull(base, PullPolicy.MISSING, null, null, caller, Whose.CALLERS, progress);
        }

        private void open(Reply reply) throws IOException {
            if (!reply.isStreamed()) {
                JobAnswer.announceTrailers(reply);
                JobAnswer.head(request.order().id(), reply.response());
            }
            reply.body().open();
        }

        /// Text begins with the first layer, since until then there may be a status that says more.
        private void tell(ImageReference base, PullProgress step, Reply reply) throws IOException {
            if (reply.rendition() == Rendition.TEXT) {
                var line = BuildLine.pulling(base, step).getBytes(StandardCharsets.UTF_8);
                if (line.length > 0) {
                    open(reply);
                    reply.body().write(line, 0, line.length);
                }
            } else {
                reply.frames().send("progress", 0, json -> BuildJson.pulling(json, base, step));
            }
        }

        private void refuse(Problem problem, Reply reply) {
            if (!reply.isStreamed()) {
                throw new Rejected(problem);
            }
            try {
                if (reply.rendition() == Rendition.TEXT) {
                    var line = BuildLine.failed(problem.detail()).getBytes(StandardCharsets.UTF_8);
                    reply.body().write(line, 0, line.length);
                } else {
                    reply.frames().send("ended", 0, json -> {
                        json.writeStringField("id", request.order().id().toString());
                        ImageJson.problem(json, problem);
                    });
                }
                reply.body().finish();
                JobAnswer.failed(problem, reply);
            } catch (IOException e) {
                throw new CloseConnectionException("the client has gone", e);
            }
        }
    }
}
