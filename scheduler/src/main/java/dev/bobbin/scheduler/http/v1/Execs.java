package dev.bobbin.scheduler.http.v1;

import dev.bobbin.runner.Attempt;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.RequestKey;
import dev.bobbin.scheduler.dispatch.Dispatcher;
import dev.bobbin.scheduler.dispatch.SandboxDirectory;
import dev.bobbin.scheduler.http.exchange.Body;
import dev.bobbin.scheduler.http.exchange.Exchange;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.tenant.Caller;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import org.jspecify.annotations.Nullable;

/// Processes in sandboxes that last: `POST /v1/exec`, whose caller waits, terminals, and those that nobody waits for.
final class Execs {
    private final Dispatcher dispatcher;
    private final SandboxDirectory sandboxes;
    private final JobAnswer answers;
    private final Terminals terminals;

    Execs(Dispatcher dispatcher, SandboxDirectory sandboxes, JobAnswer answers, Terminals terminals) {
        this.dispatcher = dispatcher;
        this.sandboxes = sandboxes;
        this.answers = answers;
        this.terminals = terminals;
    }

    void exec(ServerRequest request, ServerResponse response) {
        var terminal = Terminals.starting(request);
        if (terminal.isPresent()) {
            var body = Body.read(request, Runs.LARGEST_REQUEST);
            var asked = ExecRequest.read(body);
            asked.requireTerminal();
            var key = IdempotencyKey.of(request, body);
            throw show(asked, Job.OnDisconnect.KILL, key, terminal.get(), request, response);
        }
        var rendition = Rendition.of(request, Rendition.JSON);
        var policy = rendition == Rendition.JSON ? Job.OutputPolicy.KILL : Job.OutputPolicy.BLOCK;
        var body = Body.read(request, Runs.LARGEST_REQUEST);
        var asked = ExecRequest.read(body);
        var key = IdempotencyKey.of(request, body);
        var execution = start(asked, Job.OnDisconnect.KILL, policy, key, Exchange.caller(request));
        try (var reply = answers.reply(rendition, response)) {
            answers.started(execution, reply);
        }
    }

    /// Starts a command, or a shell, and lets its caller into its terminal. It outlives its caller unless that is asked
    /// otherwise.
    void terminal(ServerRequest request, ServerResponse response) {
        var terminal = Terminals.attaching(request);
        var asked = ExecRequest.read(request.path().pathParameters().get("id"), request);
        throw show(asked, Job.OnDisconnect.CONTINUE, null, terminal, request, response);
    }

    private CloseConnectionException show(
            ExecRequest asked,
            Job.OnDisconnect usual,
            @Nullable RequestKey key,
            Terminals.Asked terminal,
            ServerRequest request,
            ServerResponse response) {
        try (var execution = start(asked, usual, Job.OutputPolicy.DROP, key, Exchange.caller(request))) {
            return terminals.started(execution, terminal, response);
        }
    }

    /// Begins one that nobody waits for.
    Attempt detached(ExecRequest asked, @Nullable RequestKey key, Caller caller) throws InterruptedException {
        return begin(asked, Job.OnDisconnect.CONTINUE, Job.OutputPolicy.DROP, key, caller);
    }

    private Execution start(
            ExecRequest asked,
            Job.OnDisconnect usual,
            Job.OutputPolicy policy,
            @Nullable RequestKey key,
            Caller caller) {
        try {
            return switch (begin(asked, usual, policy, key, caller)) {
                case Attempt.Refused refused -> throw new Rejected(Problem.of(refused.refusal()));
                case Attempt.Accepted accepted -> accepted.execution();
            };
        } catch (InterruptedException e) {
            throw new CloseConnectionException("the server is stopping", e);
        }
    }

    private Attempt begin(
            ExecRequest asked, Job.OnDisconnect usual, Job.OutputPolicy policy, @Nullable RequestKey key, Caller caller)
            throws InterruptedException {
        var earlier = dispatcher.earlier(key, caller);
        if (earlier.isPresent()) {
            return earlier.get();
        }
        var sandbox = Sandboxes.find(sandboxes, asked.sandbox(), caller);
        return dispatcher.start(asked.toJob(sandbox.tenant(), sandbox.id(), usual, policy, key), caller);
    }
}
