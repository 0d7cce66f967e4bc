package dev.bobbin.scheduler.http.minibox;

import dev.bobbin.runner.Attempt;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.OutputSink;
import dev.bobbin.scheduler.dispatch.Dispatcher;
import dev.bobbin.scheduler.http.exchange.Body;
import dev.bobbin.scheduler.http.exchange.Disconnects;
import dev.bobbin.scheduler.http.exchange.Exchange;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.http.exchange.Streamed;
import dev.bobbin.scheduler.http.exchange.Takeovers;
import dev.bobbin.scheduler.http.terminal.RawTerminal;
import dev.bobbin.scheduler.tenant.Caller;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// Commands in containers that run: `POST /containers/exec`.
final class Execs {
    private final Dispatcher dispatcher;
    private final Containers containers;
    private final Disconnects disconnects;
    private final Takeovers takeovers;

    Execs(Dispatcher dispatcher, Containers containers, Disconnects disconnects, Takeovers takeovers) {
        this.dispatcher = dispatcher;
        this.containers = containers;
        this.disconnects = disconnects;
        this.takeovers = takeovers;
    }

    void exec(ServerRequest request, ServerResponse response) throws InterruptedException {
        var caller = Exchange.caller(request);
        var asked = ExecRequest.read(Body.read(request, Runs.LARGEST_REQUEST));
        var container = containers.find(asked.id(), caller).orElseThrow(() -> Plain.absent("Container not found"));
        if (!Containers.isRunning(container)) {
            throw notRunning();
        }
        try (var job = start(asked.toJob(container), caller)) {
            if (asked.isInteractive()) {
                throw show(job, response);
            }
            answer(job, request, response);
        }
    }

    private Execution start(Job.Exec job, Caller caller) throws InterruptedException {
        return switch (dispatcher.start(job, caller)) {
            case Attempt.Accepted accepted -> accepted.execution();
            case Attempt.Refused(var refusal) ->
                throw switch (refusal.reason()) {
                    case SANDBOX_NOT_RUNNING -> notRunning();
                    case NO_SUCH_SANDBOX -> Plain.absent("Container not found");
                    default -> new Rejected(Problem.of(refusal));
                };
        };
    }

    private static Rejected notRunning() {
        return Plain.bad("Container is not running");
    }

    private CloseConnectionException show(Execution job, ServerResponse response) {
        return takeovers.take(
                response,
                Runs.RAW,
                connection -> RawTerminal.serve(
                        connection,
                        job,
                        Runs.AFTER_INPUT,
                        ending -> tail(ending.outcome()).getBytes(StandardCharsets.UTF_8)));
    }

    private static String tail(Outcome outcome) {
        var message = Tail.of(outcome);
        return Tail.line(message.isEmpty() ? "" : "exec failed: " + message);
    }

    private void answer(Execution job, ServerRequest request, ServerResponse response) throws InterruptedException {
        var answer = new Answer(response);
        try (var _ = disconnects.watch(response, () -> job.cancel("client"))) {
            answer.end(job.streamTo(answer).outcome(), request);
        } catch (Streamed.ClientGone e) {
            job.cancel("client");
            throw new CloseConnectionException("the client has gone", e);
        } catch (IOException e) {
            throw new CloseConnectionException("the output cannot be read", e);
        }
    }

    /// What a command printed, with the status that tells how it ended, and its exit status behind the output if that
    /// is
    /// not 0. Of one that prints more than is held in memory the answer begins before its end, and then is 200.
    private static final class Answer implements OutputSink {
        private static final int MOST = 1024 * 1024;

        private final ServerResponse response;
        private final ByteArrayOutputStream held = new ByteArrayOutputStream();
        private @Nullable Streamed body;
        private byte last = '\n';

        Answer(ServerResponse response) {
            this.response = response;
        }

        @Override
        public void accept(Output output) throws IOException {
            if (!(output instanceof Output.Bytes bytes) || bytes.length() == 0) {
                return;
            }
            var data = bytes.data();
            last = data.get(data.limit() - 1);
            if (body == null && held.size() + data.remaining() > MOST) {
                response.header(HeaderNames.CONTENT_TYPE, Plain.TEXT);
                body = new Streamed(response);
                body.write(held.toByteArray(), 0, held.size());
            }
            if (body == null) {
                held.writeBytes(bytes.copy());
            } else {
                body.write(data);
            }
        }

        @Override
        public void flush() throws IOException {
            if (body != null) {
                body.flush();
            }
        }

        void end(Outcome outcome, ServerRequest request) throws IOException {
            var message = Tail.of(outcome);
            var told = message.isEmpty() ? "" : (last == '\n' ? "" : "\n") + message + "\n";
            var end = told.getBytes(StandardCharsets.UTF_8);
            if (body == null) {
                held.writeBytes(end);
                var status = message.isEmpty() ? Status.OK_200 : Status.INTERNAL_SERVER_ERROR_500;
                Plain.send(request, response, status, Plain.TEXT, held.toByteArray());
            } else {
                body.write(end, 0, end.length);
                body.finish();
            }
        }
    }
}
