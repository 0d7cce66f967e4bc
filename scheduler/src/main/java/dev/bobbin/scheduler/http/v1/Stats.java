package dev.bobbin.scheduler.http.v1;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.Sample;
import dev.bobbin.runner.host.LastingSandbox;
import dev.bobbin.scheduler.dispatch.SandboxDirectory;
import dev.bobbin.scheduler.http.exchange.Exchange;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.http.exchange.Streamed;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// What a sandbox uses: one sample, or one after the other for as long as it runs and somebody reads.
final class Stats {
    private static final Duration USUAL_INTERVAL = Duration.ofSeconds(1);
    private static final Duration SHORTEST_INTERVAL = Duration.ofMillis(100);
    private static final Duration LONGEST_INTERVAL = Duration.ofHours(1);

    private final SandboxDirectory sandboxes;
    private final JobAnswer answers;

    Stats(SandboxDirectory sandboxes, JobAnswer answers) {
        this.sandboxes = sandboxes;
        this.answers = answers;
    }

    void stats(ServerRequest request, ServerResponse response) {
        var rendition = Rendition.of(request, Rendition.JSON);
        var interval = Jobs.query(request, "interval").map(Stats::interval).orElse(USUAL_INTERVAL);
        var id = request.path().pathParameters().get("id");
        var sandbox = Sandboxes.find(sandboxes, id, Exchange.caller(request));
        var first = sandbox.sample().orElseThrow(() -> notRunning(sandbox));
        switch (rendition) {
            case JSON, TEXT ->
                JobAnswer.send(response, json -> {
                    json.writeStartObject();
                    write(json, first);
                    json.writeEndObject();
                });
            case NDJSON, SSE -> follow(sandbox, first, interval, answers.reply(rendition, response));
        }
    }

    private static void follow(LastingSandbox sandbox, Sample first, Duration interval, Reply reply) {
        var clock = new CountDownLatch(1);
        try (reply) {
            reply.body().open();
            reply.watch(Thread.currentThread()::interrupt);
            var count = 0L;
            for (var sample = Optional.of(first); sample.isPresent(); sample = sandbox.sample()) {
                var now = sample.get();
                reply.frames().send("sample", ++count, json -> write(json, now));
                reply.frames().flush();
                var _ = clock.await(interval.toNanos(), TimeUnit.NANOSECONDS);
            }
            reply.frames().send("ended", ++count, _ -> {});
            reply.body().finish();
        } catch (Streamed.ClientGone e) {
            throw new CloseConnectionException("the client has gone", e);
        } catch (InterruptedException e) {
            throw new CloseConnectionException("nobody reads, or the server is stopping", e);
        } catch (IOException e) {
            throw new IllegalStateException("write JSON", e);
        }
    }

    private static Rejected notRunning(LastingSandbox sandbox) {
        return new Rejected(Problem.of(new Refusal(
                Refusal.Reason.SANDBOX_NOT_RUNNING,
                "sandbox: is " + sandbox.state().word() + " and uses nothing")));
    }

    private static Duration interval(String text) {
        return Quantity.duration(text)
                .filter(interval ->
                        interval.compareTo(SHORTEST_INTERVAL) >= 0 && interval.compareTo(LONGEST_INTERVAL) <= 0)
                .orElseThrow(() ->
                        Rejected.invalid("interval", "interval: must be a duration such as \"1s\", from 100ms to 1h"));
    }

    /// The fields of a sample; what this machine does not count is absent.
    private static void write(JsonGenerator json, Sample sample) throws IOException {
        json.writeStringField("time", sample.at().toString());
        json.writeObjectFieldStart("cpu");
        counted(json, "total_micros", sample.cpu().totalMicros());
        counted(json, "user_micros", sample.cpu().userMicros());
        counted(json, "system_micros", sample.cpu().systemMicros());
        counted(json, "periods", sample.cpu().periods());
        counted(json, "throttled_periods", sample.cpu().throttledPeriods());
        counted(json, "throttled_micros", sample.cpu().throttledMicros());
        json.writeEndObject();
        json.writeObjectFieldStart("memory");
        counted(json, "bytes", sample.memory().bytes());
        counted(json, "peak_bytes", sample.memory().peakBytes());
        counted(json, "anonymous_bytes", sample.memory().anonymousBytes());
        counted(json, "cache_bytes", sample.memory().cacheBytes());
        counted(json, "oom_kills", sample.memory().oomKills());
        json.writeEndObject();
        counted(json, "pids", sample.pids());
        traffic(json, "block", sample.block());
        traffic(json, "network", sample.network());
        if (sample.disk().bytes() >= 0) {
            json.writeObjectFieldStart("disk");
            counted(json, "bytes", sample.disk().bytes());
            counted(json, "inodes", sample.disk().inodes());
            json.writeEndObject();
        }
    }

    private static void traffic(JsonGenerator json, String name, Sample.Traffic traffic) throws IOException {
        json.writeObjectFieldStart(name);
        counted(json, "in_bytes", traffic.inBytes());
        counted(json, "out_bytes", traffic.outBytes());
        json.writeEndObject();
    }

    private static void counted(JsonGenerator json, String field, long value) throws IOException {
        if (value >= 0) {
            json.writeNumberField(field, value);
        }
    }
}
