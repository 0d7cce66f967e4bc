package dev.bobbin.scheduler.http.v1;

import dev.bobbin.runner.Execution;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Output.Stream;
import dev.bobbin.scheduler.dispatch.Dispatcher;
import dev.bobbin.scheduler.http.exchange.Exchange;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
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
    private static final HeaderName LAST_EVENT_ID = HeaderNames.create("Last-Event-ID");
    private static final int FEED = 64 * 1024;

    private final Dispatcher dispatcher;
    private final JobAnswer answers;

    Jobs(Dispatcher dispatcher, JobAnswer answers) {
        this.dispatcher = dispatcher;
        this.answers = answers;
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
        var part = new JobAnswer.Part(streams(request), from(request, rendition), flag(request, "follow"));
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

    private static Set<Stream> streams(ServerRequest request) {
        return switch (query(request, "stream").orElse("")) {
            case "" -> Set.of(Stream.values());
            case "stdout" -> Set.of(Stream.STDOUT);
            case "stderr" -> Set.of(Stream.STDERR);
            default -> throw Rejected.invalid("stream", "stream: must be stdout or stderr");
        };
    }

    private static long from(ServerRequest request, Rendition rendition) {
        var written = query(request, "from");
        if (written.isEmpty() && rendition == Rendition.SSE) {
            written = request.headers().first(LAST_EVENT_ID);
        }
        return written.map(text -> number("from", text)).orElse(0L);
    }

    private static long number(String field, String text) {
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
