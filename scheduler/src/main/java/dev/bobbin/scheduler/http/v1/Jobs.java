package dev.bobbin.scheduler.http.v1;

import dev.bobbin.runner.Execution;
import dev.bobbin.runner.JobId;
import dev.bobbin.scheduler.dispatch.Dispatcher;
import dev.bobbin.scheduler.http.exchange.Body;
import dev.bobbin.scheduler.http.exchange.Exchange;
import dev.bobbin.scheduler.http.exchange.JsonInput;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;

/// Jobs that exist: how they are, what they put out, feeding and ending them.
final class Jobs {
    private static final Duration LONGEST_WAIT = Duration.ofMinutes(5);
    private static final int LARGEST_SIZE = 1024;
    private static final int FEED = 64 * 1024;

    private final Dispatcher dispatcher;
    private final JobAnswer answers;
    private final Terminals terminals;

    Jobs(Dispatcher dispatcher, JobAnswer answers, Terminals terminals) {
        this.dispatcher = dispatcher;
        this.answers = answers;
        this.terminals = terminals;
    }

    void list(ServerRequest request, ServerResponse response) {
        try {
            JobAnswer.send(response, JobPage.asked(request).of(dispatcher.list(Exchange.caller(request))));
        } catch (InterruptedException e) {
            throw new CloseConnectionException("stopping", e);
        }
    }

    void state(ServerRequest request, ServerResponse response) {
        try (var job = find(request)) {
            var wait = query(request, "wait");
            if (wait.isPresent()) {
                awaitEnd(job, wait(wait.get()));
            }
            JobAnswer.head(job.id(), response);
            JobAnswer.send(response, json -> JobJson.state(json, job));
        }
    }

    void output(ServerRequest request, ServerResponse response) {
        var rendition = Rendition.of(request, Rendition.TEXT);
        var part = JobAnswer.Part.asked(request, rendition);
        answers.read(find(request), part, rendition, response);
    }

    void cancel(ServerRequest request, ServerResponse response) {
        try (var job = find(request)) {
            job.cancel("api");
            JobAnswer.head(job.id(), response);
            response.status(Status.ACCEPTED_202);
            JobAnswer.send(response, json -> JobJson.state(json, job));
        }
    }

    /// Sends its process a signal; what it makes of that is its own affair, unless it is SIGKILL.
    void kill(ServerRequest request, ServerResponse response) {
        var asked = EndRequest.read(request, EndRequest.SIGNAL, Signals.SIGKILL);
        try (var job = find(request)) {
            if (job.ending().isPresent()) {
                throw new Rejected(new Problem(409, "ended", "the job has ended and takes no more signals"));
            }
            job.signal(asked.signal());
            JobAnswer.head(job.id(), response);
            response.status(Status.ACCEPTED_202);
            JobAnswer.send(response, json -> JobJson.state(json, job));
        }
    }

    /// Lets a viewer into the job's terminal.
    void terminal(ServerRequest request, ServerResponse response) {
        var asked = Terminals.attaching(request);
        try (var job = find(request)) {
            throw terminals.attach(job, asked, request, response);
        }
    }

    /// Gives the job's terminal another size.
    void resize(ServerRequest request, ServerResponse response) {
        var size = new int[2];
        JsonInput.readObject(
                Body.read(request, LARGEST_SIZE),
                Set.of("rows", "columns"),
                (name, value) -> size[name.equals("rows") ? 0 : 1] = JobInput.side(value));
        var terminal = JobInput.terminal("", size[0], size[1]);
        try (var job = find(request)) {
            job.resize(terminal);
            response.status(Status.NO_CONTENT_204).send();
        } catch (IllegalArgumentException e) {
            throw new Rejected(new Problem(409, "no_terminal", String.valueOf(e.getMessage())));
        }
    }

    void stdin(ServerRequest request, ServerResponse response) {
        var position = query(request, "at")
                .map(text -> number("at", text))
                .orElseThrow(
                        () -> Rejected.invalid("at", "at: say how many bytes of standard input come before these"));
        var last = flag(request, "eof");
        try (var job = find(request)) {
            var taken = feed(job, request, position, last);
            JobAnswer.head(job.id(), response);
            JobAnswer.send(response, json -> {
                json.writeStartObject();
                json.writeNumberField("taken", taken);
                json.writeEndObject();
            });
        }
    }

    private static long feed(Execution job, ServerRequest request, long position, boolean last) {
        try {
            var taken = position;
            var next = position;
            if (request.content().hasEntity()) {
                var in = request.content().inputStream();
                var buffer = new byte[FEED];
                for (var length = in.read(buffer); length >= 0; length = in.read(buffer)) {
                    taken = job.feed(next, Arrays.copyOf(buffer, length), false);
                    next += length;
                    if (taken < next) {
                        return taken; // it has ended
                    }
                }
            }
            return last ? job.feed(next, new byte[0], true) : taken;
        } catch (IllegalArgumentException e) {
            throw Rejected.invalid("at", String.valueOf(e.getMessage()));
        } catch (InterruptedException e) {
            throw new CloseConnectionException("stopping", e);
        } catch (IOException e) {
            throw new Rejected(new Problem(409, "ended", "the job takes no more standard input: " + e.getMessage()));
        }
    }

    private Execution find(ServerRequest request) {
        var text = request.path().pathParameters().get("id");
        var id = JobId.parse(text);
        try {
            var found =
                    id.isPresent() ? dispatcher.find(id.get(), Exchange.caller(request)) : Optional.<Execution>empty();
            return found.orElseThrow(
                    () -> new Rejected(Problem.notFound("there is no job with this id, or not any more")));
        } catch (InterruptedException e) {
            throw new CloseConnectionException("stopping", e);
        }
    }

    /// Waits on a thread of its own, since an execution is awaited without a limit.
    private static void awaitEnd(Execution job, Duration limit) {
        var waiting = Thread.ofVirtual().start(() -> {
            try {
                job.await();
            } catch (InterruptedException _) {
                // the limit has passed
            }
        });
        try {
            if (!waiting.join(limit)) {
                waiting.interrupt();
            }
        } catch (InterruptedException e) {
            waiting.interrupt();
            throw new CloseConnectionException("stopping", e);
        }
    }

    private static Duration wait(String text) {
        return Quantity.duration(text)
                .map(wait -> wait.compareTo(LONGEST_WAIT) > 0 ? LONGEST_WAIT : wait)
                .orElseThrow(() -> Rejected.invalid("wait", "wait: must be a duration such as \"30s\""));
    }

    static long number(String field, String text) {
        if (!text.matches("[0-9]{1,18}")) {
            throw Rejected.invalid(field, field + ": must be a whole number that is not negative");
        }
        return Long.parseLong(text);
    }

    /// `?follow`, `?follow=true` and `?follow=1` say yes.
    static boolean flag(ServerRequest request, String name) {
        if (!request.query().contains(name)) {
            return false;
        }
        return switch (query(request, name).orElse("")) {
            case "", "1", "true" -> true;
            case "0", "false" -> false;
            default -> throw Rejected.invalid(name, name + ": must be true or false");
        };
    }

    static Optional<String> query(ServerRequest request, String name) {
        return request.query().first(name).asOptional();
    }
}
