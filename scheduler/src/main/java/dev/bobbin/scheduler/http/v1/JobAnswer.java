package dev.bobbin.scheduler.http.v1;

import dev.bobbin.runner.Ending;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.Output.Stream;
import dev.bobbin.runner.OutputSink;
import dev.bobbin.scheduler.http.exchange.Disconnects;
import dev.bobbin.scheduler.http.exchange.Json;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.http.exchange.Streamed;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.util.Set;

/// Sends what a job puts out, in the form that was asked for.
final class JobAnswer {
    static final HeaderName JOB_ID = HeaderNames.create("Bobbin-Job-Id");
    private static final HeaderName OUTCOME = HeaderNames.create("Bobbin-Outcome");
    private static final HeaderName EXIT_CODE = HeaderNames.create("Bobbin-Exit-Code");
    private static final HeaderName TIMELINE = HeaderNames.create("Bobbin-Timeline");
    private static final HeaderName GAPS = HeaderNames.create("Bobbin-Gaps");
    private static final Set<Stream> BOTH = Set.of(Stream.values());
    private static final System.Logger LOG = System.getLogger(JobAnswer.class.getName());

    private final Disconnects disconnects;

    JobAnswer(Disconnects disconnects) {
        this.disconnects = disconnects;
    }

    /// Which part of a job's output is wanted.
    record Part(Set<Stream> streams, long from, boolean follow) {
        static final Part ALL = new Part(BOTH, 0, true);

        Part {
            streams = Set.copyOf(streams);
        }
    }

    /// Answers the caller that started the job: its leaving ends the job if that was asked for.
    void started(Execution job, Rendition rendition, ServerResponse response) {
        head(job, response);
        var caller = Thread.currentThread();
        Runnable gone = job.onDisconnect() == Job.OnDisconnect.KILL ? () -> job.cancel("client") : caller::interrupt;
        switch (rendition) {
            case JSON -> json(job, gone, response);
            case TEXT, NDJSON, SSE -> stream(job, Part.ALL, rendition, gone, response);
        }
    }

    /// Answers a reader, whose leaving concerns nobody else.
    void read(Execution job, Part part, Rendition rendition, ServerResponse response) {
        head(job, response);
        Runnable gone = Thread.currentThread()::interrupt;
        switch (rendition) {
            case JSON -> jsonPart(job, part, gone, response);
            case TEXT, NDJSON, SSE -> stream(job, part, rendition, gone, response);
        }
    }

    static void head(Execution job, ServerResponse response) {
        response.header(JOB_ID, job.id().toString());
        response.header(HeaderNames.LOCATION, "/v1/jobs/" + job.id());
    }

    private void json(Execution job, Runnable gone, ServerResponse response) {
        var output = new InlineOutput(BOTH);
        var ending = collect(job, Part.ALL, output, gone, response);
        send(response, json -> {
            json.writeStartObject();
            json.writeStringField("id", job.id().toString());
            json.writeStringField("image", job.image().text());
            JobJson.outcome(json, ending.outcome());
            output.writeTo(json);
            JobJson.unenforcedLimits(json, job);
            JobJson.usage(json, ending);
            JobJson.timeline(json, ending.timeline());
            json.writeEndObject();
        });
    }

    private void jsonPart(Execution job, Part part, Runnable gone, ServerResponse response) {
        var output = new InlineOutput(part.streams());
        var state = part.follow() ? "ended" : job.ending().isPresent() ? "ended" : "running";
        read(job, part, output, gone, response);
        send(response, json -> {
            json.writeStartObject();
            json.writeStringField("id", job.id().toString());
            json.writeStringField("state", state);
            json.writeNumberField("at", output.at());
            output.writeTo(json);
            json.writeEndObject();
        });
    }

    private Ending collect(Execution job, Part part, InlineOutput output, Runnable gone, ServerResponse response) {
        read(job, part, output, gone, response);
        return job.ending().orElseThrow();
    }

    private void read(Execution job, Part part, OutputSink sink, Runnable gone, ServerResponse response) {
        try (job;
                var _ = disconnects.watch(response, gone)) {
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

    private void stream(Execution job, Part part, Rendition rendition, Runnable gone, ServerResponse response) {
        response.header(HeaderNames.CONTENT_TYPE, rendition.type());
        response.header(HeaderNames.CACHE_CONTROL, "no-store");
        if (rendition == Rendition.TEXT) {
            response.header(
                    HeaderNames.TRAILER,
                    String.join(
                            ", ",
                            OUTCOME.defaultCase(),
                            EXIT_CODE.defaultCase(),
                            TIMELINE.defaultCase(),
                            GAPS.defaultCase()));
        }
        var answer = new Streamed(response);
        OutputSink sink = switch (rendition) {
            case JSON, TEXT -> new PlainOutput(answer, part.streams());
            case NDJSON -> new FrameOutput(answer, job, part.streams(), false);
            case SSE -> new FrameOutput(answer, job, part.streams(), true);
        };
        try (job;
                var _ = disconnects.watch(response, gone)) {
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
            plain.gaps().ifPresent(gaps -> response.trailers().set(GAPS, gaps));
            job.ending().ifPresent(ending -> trailers(ending, response));
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
