package dev.bobbin.scheduler.http.v1;

import dev.bobbin.runner.Attempt;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Job;
import dev.bobbin.scheduler.dispatch.Dispatcher;
import dev.bobbin.scheduler.dispatch.SandboxDirectory;
import dev.bobbin.scheduler.http.exchange.Body;
import dev.bobbin.scheduler.http.exchange.Exchange;
import dev.bobbin.scheduler.http.exchange.JsonInput;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.tenant.Caller;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Processes in sandboxes that last: `POST /v1/exec`, whose caller waits, and `POST /v1/jobs`, whose caller does not.
final class Execs {
    private static final Set<String> JOB =
            Set.of("run", "exec", "build", "queue", "priority", "retries", "not_before", "after", "count", "callback");

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
            var asked = ExecRequest.read(Body.read(request, Runs.LARGEST_REQUEST));
            asked.requireTerminal();
            throw show(asked, Job.OnDisconnect.KILL, terminal.get(), request, response);
        }
        var rendition = Rendition.of(request, Rendition.JSON);
        var policy = rendition == Rendition.JSON ? Job.OutputPolicy.KILL : Job.OutputPolicy.BLOCK;
        var asked = ExecRequest.read(Body.read(request, Runs.LARGEST_REQUEST));
        var execution = start(asked, Job.OnDisconnect.KILL, policy, Exchange.caller(request));
        try (var reply = answers.reply(rendition, response)) {
            answers.started(execution, reply);
        }
    }

    /// Starts a command, or a shell, and lets its caller into its terminal. It outlives its caller unless that is asked
    /// otherwise.
    void terminal(ServerRequest request, ServerResponse response) {
        var terminal = Terminals.attaching(request);
        var asked = ExecRequest.read(request.path().pathParameters().get("id"), request);
        throw show(asked, Job.OnDisconnect.CONTINUE, terminal, request, response);
    }

    private CloseConnectionException show(
            ExecRequest asked,
            Job.OnDisconnect usual,
            Terminals.Asked terminal,
            ServerRequest request,
            ServerResponse response) {
        try (var execution = start(asked, usual, Job.OutputPolicy.DROP, Exchange.caller(request))) {
            return terminals.started(execution, terminal, response);
        }
    }

    /// Answers as soon as it runs; from then on it is a job like any other.
    void detached(ServerRequest request, ServerResponse response) {
        var asked = new Detached();
        JsonInput.readObject(Body.read(request, Runs.LARGEST_REQUEST), JOB, asked::field);
        if (asked.exec == null) {
            throw Rejected.invalid("exec", "exec: say what to run, and in which sandbox");
        }
        var policy = Job.OutputPolicy.DROP;
        try (var execution = start(asked.exec, Job.OnDisconnect.CONTINUE, policy, Exchange.caller(request))) {
            JobAnswer.head(execution.id(), response);
            response.status(Status.ACCEPTED_202);
            JobAnswer.send(response, json -> JobJson.state(json, execution));
        }
    }

    private Execution start(ExecRequest asked, Job.OnDisconnect usual, Job.OutputPolicy policy, Caller caller) {
        var sandbox = Sandboxes.find(sandboxes, asked.sandbox(), caller);
        var job = asked.toJob(sandbox.tenant(), sandbox.id(), usual, policy);
        try {
            return switch (dispatcher.start(job, caller)) {
                case Attempt.Refused refused -> throw new Rejected(Problem.of(refused.refusal()));
                case Attempt.Accepted accepted -> accepted.execution();
            };
        } catch (InterruptedException e) {
            throw new CloseConnectionException("the server is stopping", e);
        }
    }

    /// The body of `POST /v1/jobs`.
    private static final class Detached {
        private @Nullable ExecRequest exec;

        void field(String name, JsonInput value) throws IOException {
            if (!name.equals("exec")) {
                throw JobInput.notOffered(value);
            }
            exec = ExecRequest.read(value);
        }
    }
}
