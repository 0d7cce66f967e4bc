package dev.bobbin.scheduler.http.v1;

import dev.bobbin.runner.Ending;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.Output.Stream;
import dev.bobbin.runner.OutputSink;
import dev.bobbin.scheduler.http.exchange.Disconnects;
import dev.bobbin.scheduler.http.exchange.Json;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.http.exchange.Streamed;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.util.Optional;
import java.util.Set;

/// Sends what a job puts out, in the form that was asked for.
final class JobAnswer {
    static final HeaderName JOB_ID = HeaderNames.create("Bobbin-Job-Id");
    private static final HeaderName OUTCOME = HeaderNames.create("Bobbin-Outcome");
    private static final HeaderName EXIT_CODE = HeaderNames.create("Bobbin-Exit-Code");
    private static final HeaderName TIMELINE = HeaderNames.create("Bobbin-Timeline");
    private static final HeaderName GAPS = HeaderNames.create("Bobbin-Gaps");
    private static final HeaderName LAST_EVENT_ID = HeaderNames.create("Last-Event-ID");
    private static final Set<Stream> BOTH = Set.of(Stream.values());
    private static final System.Logger LOG = System.getLogger(JobAnswer.class.getName());

    private final Disconnects disconnects;
    private final Attendance attendance = new Attendance();

    JobAnswer(Disconnects disconnects) {
        this.disconnects = disconnects;
    }

    /// Which part of a job's output is wanted.
    record Part(Set<Stream> streams, long from, boolean follow) {
        static final Part ALL = new Part(BOTH, 0, true);

        Part {
            streams = Set.copyOf(streams);
        }

        /// What the query asks for: `stream`, `from` and `follow`.
        static Part asked(ServerRequest request, Rendition rendition) {
            return new Part(streams(request), from(request, rendition), Jobs.flag(request, "follow"));
        }

        private static Set<Stream> streams(ServerRequest request) {
            return switch (Jobs.query(request, "stream").orElse("")) {
                case "" -> BOTH;
                case "stdout" -> Set.of(Stream.STDOUT);
                case "stderr" -> Set.of(Stream.STDERR);
                default -> throw Rejected.invalid("stream", "stream: must be stdout or stderr");
            };
        }

        private static long from(ServerRequest request, Rendition rendition) {
            return position(request, rendition).orElse(0L);
        }

        /// `from`, or what an event stream that broke off had last.
        static Optional<Long> position(ServerRequest request, Rendition rendition) {
            var written = Jobs.query(request, "from");
            if (written.isEmpty() && rendition == Rendition.SSE) {
                written = request.headers().first(LAST_EVENT_ID);
            }
            return written.map(text -> Jobs.number("from", text));
        }
    }

    Reply reply(Rendition rendition, ServerResponse response) {
        return new Reply(response, rendition, disconnects);
    }

    /// Answers the caller that started the job: its leaving ends the job if that was asked for.
    void started(Execution job, Rendition rendition, ServerResponse response) {
        started(job, reply(rendition, response));
    }

    /// The same, behind what the answer holds already.
    void started(Execution job, Reply reply) {
        if (!reply.isStreamed()) {
            head(job.id(), reply.response());
        }
        try (var waiting = attendance.begin(job)) {
            switch (reply.rendition()) {
                case JSON -> json(job, waiting::gone, reply);
                case TEXT, NDJSON, SSE -> stream(job, Part.ALL, waiting::gone, reply);
            }
        }
    }

    /// Answers a reader, whose leaving concerns nobody else.
    void read(Execution job, Part part, Rendition rendition, ServerResponse response) {
        head(job.id(), response);
        Runnable gone = Thread.currentThread()::interrupt;
        var reply = reply(rendition, response);
        switch (rendition) {
            case JSON -> jsonPart(job, part, gone, reply);
            case TEXT, NDJSON, SSE -> stream(job, part, gone, reply);
        }
    }

    static void head(JobId id, ServerResponse response) {
        response.header(JOB_ID, id.toString());
        response.header(HeaderNames.LOCATION, "/v1/jobs/" + id);
    }

    /// Says of an answer whose body has not begun what comes behind it.
    static void announceTrailers(Reply reply) {
        if (reply.rendition() == Rendition.TEXT && !reply.isStreamed()) {
            reply.response()
                    .header(
                            HeaderNames.TRAILER,
                            String.join(
                                    ", ",
                                    OUTCOME.defaultCase(),
                                    EXIT_CODE.defaultCase(),
                                    TIMELINE.defaultCase(),
                                    GAPS.defaultCase()));
        }
    }

    /// Says behind a text that has begun that nothing ran: whoever looks at the outcome must not take it for success.
    static void failed(Problem problem, Reply reply) {
        if (reply.rendition() == Rendition.TEXT) {
            var outcome = problem.code().startsWith("image_")
                    ? new Outcome.ImageError(problem.detail())
                    : new Outcome.SandboxError(problem.detail());
            reply.response().trailers().set(OUTCOME, outcome.cause());
        }
    }

    private void json(Execution job, Runnable gone, Reply reply) {
        var output = new InlineOutput(BOTH);
        var ending = collect(job, Part.ALL, output, gone, reply);
        send(reply.response(), json -> {
            json.writeStartObject();
            json.writeStringField("id", job.id().toString());
            json.writeStringField("image", job.image().text());
            JobJson.sandbox(json, job);
            JobJson.outcome(json, ending.outcome());
            output.build().writeTo(json);
            output.writeTo(json);
            JobJson.unenforcedLimits(json, job.unenforcedLimits());
            JobJson.usage(json, ending);
            JobJson.timeline(json, ending.timeline());
            json.writeEndObject();
        });
    }

    private void jsonPart(Execution job, Part part, Runnable gone, Reply reply) {
        var output = new InlineOutput(part.streams());
        var state = part.follow() ? "ended" : job.ending().isPresent() ? "ended" : "running";
        read(job, part, output, gone, reply);
        send(reply.response(), json -> {
            json.writeStartObject();
            json.writeStringField("id", job.id().toString());
            json.writeStringField("state", state);
            json.writeNumberField("at", output.at());
            output.writeTo(json);
            json.writeEndObject();
        });
    }

    private Ending collect(Execution job, Part part, InlineOutput output, Runnable gone, Reply reply) {
        read(job, part, output, gone, reply);
        return job.ending().orElseThrow();
    }

    private void read(Execution job, Part part, OutputSink sink, Runnable gone, Reply reply) {
        try (job;
                reply) {
            reply.watch(gone);
            job.read(part.from(), part.follow(), sink);
        } catch (IllegalArgumentException e) {
            throw Rejected.invalid("from", String.valueOf(e.getMessage()));
        } catch (InterruptedException e) {
            throw new CloseConnectionException("nobody waits for the answer", e);
        } catch (IOException e) {
            throw new IllegalStateException("read the output of job " + job.id(), e);
        }
    }

    static void send(ServerResponse response, Json.Value value) {
        response.header(HeaderNames.CONTENT_TYPE, "application/json");
        response.send(Json.write(value));
    }

    private void stream(Execution job, Part part, Runnable gone, Reply reply) {
        announceTrailers(reply);
        var answer = reply.body();
        OutputSink sink = switch (reply.rendition()) {
            case JSON, TEXT -> new PlainOutput(answer, part.streams());
            case NDJSON, SSE -> new FrameOutput(reply.frames(), job, part.streams());
        };
        try (job;
                reply) {
            reply.watch(gone);
            if (part.from() == 0) {
                answer.open();
            }
            job.read(part.from(), part.follow(), sink);
            answer.finish();
        } catch (IllegalArgumentException e) {
            throw Rejected.invalid("from", String.valueOf(e.getMessage()));
        } catch (Streamed.ClientGone e) {
            gone.run();
            Thread.interrupted();
            throw new CloseConnectionException("the client has gone", e);
        } catch (InterruptedException e) {
            throw new CloseConnectionException("nobody waits for the answer", e);
        } catch (IOException e) {
            LOG.log(System.Logger.Level.ERROR, "read the output of job " + job.id(), e);
            throw new CloseConnectionException("the output cannot be read", e);
        }
        if (sink instanceof PlainOutput plain) {
            plain.gaps().ifPresent(gaps -> reply.response().trailers().set(GAPS, gaps));
            job.ending().ifPresent(ending -> trailers(ending, reply.response()));
        }
    }

    private static void trailers(Ending ending, ServerResponse response) {
        var trailers = response.trailers();
        trailers.set(OUTCOME, ending.outcome().cause());
        if (ending.outcome().exitCode() >= 0) {
            trailers.set(EXIT_CODE, Integer.toString(ending.outcome().exitCode()));
        }
        trailers.set(TIMELINE, JobJson.timelineHeader(ending.timeline()));
    }
}
