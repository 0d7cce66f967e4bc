package dev.bobbin.scheduler.http.v1;

import dev.bobbin.image.ImageReference;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.host.LastingSandbox;
import dev.bobbin.runner.host.Sandboxes.Creation;
import dev.bobbin.scheduler.dispatch.ImageDirectory;
import dev.bobbin.scheduler.dispatch.ImageDirectory.Whose;
import dev.bobbin.scheduler.dispatch.SandboxDirectory;
import dev.bobbin.scheduler.http.exchange.Body;
import dev.bobbin.scheduler.http.exchange.Exchange;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.tenant.Caller;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.Optional;
import java.util.concurrent.CancellationException;

/// Sandboxes that last: made, found by id or name, told to start and to end. An answer comes when it is done.
final class Sandboxes {
    private static final int LARGEST_NAME = 64 * 1024;

    private final SandboxDirectory sandboxes;
    private final ImageDirectory images;
    private final ImageReference usualImage;
    private final JobAnswer answers;

    Sandboxes(SandboxDirectory sandboxes, ImageDirectory images, ImageReference usualImage, JobAnswer answers) {
        this.sandboxes = sandboxes;
        this.images = images;
        this.usualImage = usualImage;
        this.answers = answers;
    }

    void create(ServerRequest request, ServerResponse response) {
        var caller = Exchange.caller(request);
        var body = Body.read(request, Runs.LARGEST_REQUEST);
        var asked = SandboxRequest.read(body);
        var spec = asked.toSpec(caller.tenant(), usualImage, IdempotencyKey.of(request, body));
        try (var reply = answers.reply(Rendition.JSON, response)) {
            var earlier = sandboxes.earlier(spec.key(), caller);
            if (earlier.isEmpty() && images.mustPull(spec.image(), asked.pull(), caller)) {
                reply.watch(Thread.currentThread()::interrupt);
                images.pull(spec.image(), asked.pull(), null, null, caller, Whose.CALLERS, _ -> {});
                reply.watch(() -> {});
            }
            switch (earlier.isPresent() ? earlier.get() : sandboxes.create(spec, caller)) {
                case Creation.Refused(var refusal) -> throw new Rejected(Problem.of(refusal));
                case Creation.Created(var sandbox) -> {
                    response.header(HeaderNames.LOCATION, "/v1/sandboxes/" + sandbox.id());
                    response.status(Status.CREATED_201);
                    send(response, sandbox);
                }
            }
        } catch (InterruptedException | CancellationException e) {
            throw new CloseConnectionException("nobody waits for the answer, or the server is stopping", e);
        }
    }

    void list(ServerRequest request, ServerResponse response) {
        var page = SandboxPage.asked(request).of(sandboxes.list(Exchange.caller(request)));
        JobAnswer.send(response, page);
    }

    void inspect(ServerRequest request, ServerResponse response) {
        send(response, find(request));
    }

    void rename(ServerRequest request, ServerResponse response) {
        var name = SandboxRequest.readName(Body.read(request, LARGEST_NAME));
        var sandbox = find(request);
        refuse(sandbox.rename(name));
        send(response, sandbox);
    }

    void remove(ServerRequest request, ServerResponse response) {
        tell(find(request), sandbox -> {
            sandbox.remove();
            return Optional.empty();
        });
        response.status(Status.NO_CONTENT_204).send();
    }

    void start(ServerRequest request, ServerResponse response) {
        EndRequest.readNothing(request);
        send(response, tell(find(request), LastingSandbox::start));
    }

    void stop(ServerRequest request, ServerResponse response) {
        var found = find(request);
        var asked = EndRequest.read(request, EndRequest.SIGNAL_AND_GRACE, Signals.toStop(found.stopSignal()));
        send(response, tell(found, sandbox -> sandbox.stop(asked.signal(), asked.grace())));
    }

    void restart(ServerRequest request, ServerResponse response) {
        var found = find(request);
        var asked = EndRequest.read(request, EndRequest.SIGNAL_AND_GRACE, Signals.toStop(found.stopSignal()));
        send(response, tell(found, sandbox -> sandbox.restart(asked.signal(), asked.grace())));
    }

    void kill(ServerRequest request, ServerResponse response) {
        var asked = EndRequest.read(request, EndRequest.SIGNAL, Signals.SIGKILL);
        send(response, tell(find(request), sandbox -> sandbox.signal(asked.signal())));
    }

    /// What its own process prints, in the run that is now or was the last.
    void output(ServerRequest request, ServerResponse response) {
        var rendition = Rendition.of(request, Rendition.TEXT);
        var part = JobAnswer.Part.asked(request, rendition);
        var sandbox = find(request);
        var own = sandbox.own()
                .orElseThrow(() -> new Rejected(Problem.of(new Refusal(
                        Refusal.Reason.SANDBOX_NOT_RUNNING, "sandbox: it has not run yet, so there is no output"))));
        answers.read(own, part, rendition, response);
    }

    private LastingSandbox find(ServerRequest request) {
        return find(sandboxes, request.path().pathParameters().get("id"), Exchange.caller(request));
    }

    /// The caller's sandbox of this id or name, or the refusal that there is none.
    static LastingSandbox find(SandboxDirectory sandboxes, String idOrName, Caller caller) {
        return sandboxes
                .find(idOrName, caller)
                .orElseThrow(() -> new Rejected(Problem.of(new Refusal(
                        Refusal.Reason.NO_SUCH_SANDBOX, "sandbox: there is no sandbox \"" + idOrName + "\""))));
    }

    @FunctionalInterface
    private interface Order {
        Optional<Refusal> give(LastingSandbox sandbox) throws InterruptedException;
    }

    private static LastingSandbox tell(LastingSandbox sandbox, Order order) {
        try {
            refuse(order.give(sandbox));
            return sandbox;
        } catch (InterruptedException e) {
            throw new CloseConnectionException("the server is stopping", e);
        }
    }

    private static void refuse(Optional<Refusal> refusal) {
        if (refusal.isPresent()) {
            throw new Rejected(Problem.of(refusal.get()));
        }
    }

    private static void send(ServerResponse response, LastingSandbox sandbox) {
        JobAnswer.send(response, json -> SandboxJson.write(json, sandbox));
    }
}
