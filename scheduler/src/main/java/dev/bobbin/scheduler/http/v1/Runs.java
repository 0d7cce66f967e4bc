package dev.bobbin.scheduler.http.v1;

import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.store.PullPolicy;
import dev.bobbin.runner.Attempt;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.RequestKey;
import dev.bobbin.scheduler.dispatch.Dispatcher;
import dev.bobbin.scheduler.dispatch.ImageDirectory;
import dev.bobbin.scheduler.dispatch.ImageDirectory.Whose;
import dev.bobbin.scheduler.http.exchange.Body;
import dev.bobbin.scheduler.http.exchange.Exchange;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.http.exchange.Transfer;
import dev.bobbin.scheduler.tenant.Caller;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/// Jobs that begin: `POST /v1/run`. An image that is not here is brought first; the job's time begins when it is here,
/// and it has no place at the gate before.
final class Runs {
    static final int LARGEST_REQUEST = 4 * 1024 * 1024;

    private final Dispatcher dispatcher;
    private final ImageDirectory images;
    private final ImageReference usualImage;
    private final JobAnswer answers;
    private final Terminals terminals;

    Runs(
            Dispatcher dispatcher,
            ImageDirectory images,
            ImageReference usualImage,
            JobAnswer answers,
            Terminals terminals) {
        this.dispatcher = dispatcher;
        this.images = images;
        this.usualImage = usualImage;
        this.answers = answers;
        this.terminals = terminals;
    }

    void run(ServerRequest request, ServerResponse response) {
        var terminal = Terminals.starting(request);
        if (terminal.isPresent()) {
            throw show(terminal.get(), request, response);
        }
        var rendition = Rendition.of(request, Rendition.JSON);
        var caller = Exchange.caller(request);
        var policy = rendition == Rendition.JSON ? Job.OutputPolicy.KILL : Job.OutputPolicy.BLOCK;
        var body = Body.read(request, LARGEST_REQUEST);
        var asked = RunRequest.read(body);
        var job = asked.toJob(caller.tenant(), usualImage, policy, IdempotencyKey.of(request, body));
        try (var reply = answers.reply(rendition, response)) {
            if (job.key() != null) {
                reply.watch(whenGone(job));
            }
            run(job, asked.pull(), caller, reply);
        } catch (InterruptedException | CancellationException e) {
            throw new CloseConnectionException("nobody waits for the answer, or the server is stopping", e);
        }
    }

    private void run(Job.Run job, PullPolicy policy, Caller caller, Reply reply) throws InterruptedException {
        try {
            answer(job, begin(job, policy, caller, reply), reply);
        } catch (ImageException e) {
            refuse(job, Problem.of(e), reply);
        }
    }

    /// Answers with the job's terminal. Whoever leaves while the image comes is missed once that is here.
    private CloseConnectionException show(Terminals.Asked terminal, ServerRequest request, ServerResponse response) {
        var caller = Exchange.caller(request);
        var body = Body.read(request, LARGEST_REQUEST);
        var asked = RunRequest.read(body);
        asked.requireTerminal();
        var key = IdempotencyKey.of(request, body);
        var job = asked.toJob(caller.tenant(), usualImage, Job.OutputPolicy.DROP, key);
        try {
            return switch (begin(job, asked.pull(), caller)) {
                case Attempt.Refused refused -> throw new Rejected(Problem.of(refused.refusal()));
                case Attempt.Accepted accepted -> {
                    try (var execution = accepted.execution()) {
                        yield terminals.started(execution, terminal, response);
                    }
                }
            };
        } catch (InterruptedException | CancellationException e) {
            throw new CloseConnectionException("the server is stopping", e);
        }
    }

    /// Begins one that nobody waits for.
    Attempt detached(RunRequest asked, @Nullable RequestKey key, Caller caller) throws InterruptedException {
        var job = asked.toJob(caller.tenant(), usualImage, Job.OutputPolicy.DROP, key);
        return begin(job, asked.pull(), caller);
    }

    /// Begins one after its image is here, for a caller who is told nothing before.
    private Attempt begin(Job.Run job, PullPolicy policy, Caller caller) throws InterruptedException {
        try (var _ = dispatcher.turn(job.key())) {
            var earlier = dispatcher.earlier(job.key(), caller);
            if (earlier.isPresent()) {
                return earlier.get();
            }
            if (images.mustPull(job.image(), policy, caller)) {
                images.pull(job.image(), policy, null, null, caller, Whose.CALLERS, _ -> {});
            }
            return dispatcher.start(job, caller);
        }
    }

    /// The same for one who may be told how the image comes, in a stream that begins at once. Its head has the id of
    /// the
    /// job, so nobody else with the same key begins one meanwhile.
    private Attempt begin(Job.Run job, PullPolicy policy, Caller caller, Reply reply) throws InterruptedException {
        try (var _ = dispatcher.turn(job.key())) {
            var earlier = dispatcher.earlier(job.key(), caller);
            if (earlier.isPresent()) {
                return earlier.get();
            }
            if (images.mustPull(job.image(), policy, caller)) {
                reply.watch(whenGone(job));
                switch (reply.rendition()) {
                    case JSON, TEXT -> images.pull(job.image(), policy, null, null, caller, Whose.CALLERS, _ -> {});
                    case NDJSON, SSE -> tell(job, policy, caller, reply);
                }
            }
            return dispatcher.start(job, caller);
        }
    }

    /// Tells how the image comes.
    private void tell(Job.Run job, PullPolicy policy, Caller caller, Reply reply) throws InterruptedException {
        var listener = new PullNews(
                reply,
                job.onDisconnect(),
                step -> reply.frames().send("progress", 0, json -> ImageJson.progress(json, step)));
        try {
            JobAnswer.head(job.id(), reply.response());
            listener.say(() -> reply.body().open());
            Transfer.follow(
                    progress -> images.pull(job.image(), policy, null, null, caller, Whose.CALLERS, progress),
                    listener);
        } catch (IOException e) {
            throw new CloseConnectionException("the client has gone", e);
        }
    }

    /// What is refused once the answer has begun is said in its last frame.
    private void answer(Job.Run job, Attempt attempt, Reply reply) {
        switch (attempt) {
            case Attempt.Refused refused -> refuse(job, Problem.of(refused.refusal()), reply);
            case Attempt.Accepted accepted -> answers.started(accepted.execution(), reply);
        }
    }

    private static Runnable whenGone(Job.Run job) {
        var waiting = Thread.currentThread();
        return job.onDisconnect() == Job.OnDisconnect.KILL ? waiting::interrupt : () -> {};
    }

    private static void refuse(Job.Run job, Problem problem, Reply reply) {
        if (!reply.isStreamed()) {
            throw new Rejected(problem);
        }
        try {
            reply.frames().send("ended", 0, json -> {
                json.writeStringField("id", job.id().toString());
                json.writeStringField("image", job.image().text());
                ImageJson.problem(json, problem);
            });
            reply.body().finish();
        } catch (IOException e) {
            throw new CloseConnectionException("the client has gone", e);
        }
    }
}
