package dev.bobbin.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.host.Leftovers;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Requests with an `Idempotency-Key`, and a server that is killed with its whole process group.
@Timeout(240)
final class KeyedCrashIT extends KilledServerTests {
    private static final int ROUNDS = 6;
    private static final int WORKERS = 4;
    private static final int LINES = 340;

    private static String where(HttpResponse<InputStream> answer) {
        assertThat(answer.statusCode()).isBetween(200, 299);
        return answer.headers().firstValue("Location").orElseThrow();
    }

    private static String text(HttpResponse<InputStream> answer) throws IOException {
        return new String(answer.body().readAllBytes(), StandardCharsets.UTF_8);
    }

    @Test
    void findsAgainWhatItBegan() throws Exception {
        var leftovers = Leftovers.of(directory.resolve("run"));
        var lines = "{\"command\":[\"sh\",\"-c\",\"for i in $(seq " + LINES
                + "); do echo line $i; sleep 0.1; done; exit 5\"]}";
        var uuid = "{\"run\":{\"command\":[\"cat\",\"/proc/sys/kernel/random/uuid\"]}}";
        var exec = "{\"sandbox\":\"box\",\"command\":[\"true\"]}";
        serve(2);
        var run = where(server().keyed("run", "/v1/run", lines));
        var lonely = where(server().keyed("lonely", "/v1/run", "{\"command\":[\"sleep\",\"600\"]}"));
        var job = where(server().keyed("job", "/v1/jobs", uuid));
        var box = where(server().keyed("box", "/v1/sandboxes", "{\"name\":\"box\"}"));
        var inBox = where(server().keyed("exec", "/v1/exec", exec));
        where(server().keyed("removed", "/v1/sandboxes", "{\"name\":\"other\"}"));
        server().ask(204, "DELETE", "/v1/sandboxes/other", "");

        server().killGroup();
        serve(2);

        var attached = server().keyed("run", "/v1/run", lines);
        assertThat(where(attached)).isEqualTo(run);
        assertThat(where(server().keyed("job", "/v1/jobs", uuid))).isEqualTo(job);
        assertThat(where(server().keyed("box", "/v1/sandboxes", "{\"name\":\"box\"}")))
                .isEqualTo(box);
        assertThat(where(server().keyed("exec", "/v1/exec", exec))).isEqualTo(inBox);
        assertThat(server().keyed("removed", "/v1/sandboxes", "{\"name\":\"other\"}")
                        .statusCode())
                .isEqualTo(410);
        assertThat(text(server().keyed("run", "/v1/run", "{\"command\":[\"true\"]}")))
                .contains("idempotency_key_reused");
        // longer than anybody waits for a caller who does not come back
        assertThat(text(attached))
                .isEqualTo(IntStream.rangeClosed(1, LINES)
                        .mapToObj(line -> "line " + line + "\n")
                        .collect(Collectors.joining()));
        assertThat(server().get(run)).contains("\"cause\":\"exited\",\"exit_code\":5");
        for (var tries = 0; tries < 600 && server().get(lonely).contains("\"state\":\"running\""); tries++) {
            TimeUnit.MILLISECONDS.sleep(100);
        }
        assertThat(server().get(lonely)).contains("\"cause\":\"cancelled\"", "\"by\":\"server_restart\"");
        server().ask(204, "DELETE", box, "");
        server().close();
        leftovers.assertNothingMore();
    }

    @Test
    void runsWhatIsAskedAgainAndAgainExactlyOnce() throws Exception {
        var seed = Long.getLong("bobbin.seed", System.nanoTime());
        System.out.println("seed " + seed);
        var random = new Random(seed);
        var asked = new AtomicInteger();
        serve(2);
        for (var round = 0; round < ROUNDS; round++) {
            var over = new AtomicBoolean();
            var working = new ArrayList<Thread>();
            for (var worker = 0; worker < WORKERS; worker++) {
                working.add(Thread.ofVirtual().start(() -> insist(asked, over)));
            }
            TimeUnit.MILLISECONDS.sleep(100 + random.nextInt(600));
            server().killGroup();
            serve(2);
            over.set(true);
            for (var thread : working) {
                thread.join();
            }
        }
        var words = server().run(
                        "{\"command\":[\"sort\",\"/v/words\"],\"mounts\":[{\"type\":\"volume\",\"source\":\"v\","
                                + "\"target\":\"/v\"}],\"limits\":{\"output\":\"4MiB\"}}");
        assertThat(asked.get()).isGreaterThan(ROUNDS * WORKERS);
        assertThat(words)
                .as("seed %d", seed)
                .contains("\"stdout\":\""
                        + IntStream.rangeClosed(1, asked.get())
                                .mapToObj(number -> "word-" + number)
                                .sorted()
                                .map(word -> word + "\\n")
                                .collect(Collectors.joining())
                        + "\"");
    }

    /// Asks for one job after the other until it is `over`, and for each until it is told that it has begun and ended.
    private void insist(AtomicInteger asked, AtomicBoolean over) {
        while (!over.get()) {
            var word = "word-" + asked.incrementAndGet();
            var body = "{\"run\":{\"command\":[\"sh\",\"-c\",\"echo " + word
                    + " >>/v/words\"],\"env\":{\"LC_ALL\":\"C\"},\"mounts\":[{\"type\":\"volume\",\"source\":\"v\","
                    + "\"target\":\"/v\"}]}}";
            while (!hasEnded(word, body)) {
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
            }
        }
    }

    private boolean hasEnded(String word, String body) {
        try {
            var at = server();
            return at.get(where(at.keyed(word, "/v1/jobs", body)) + "?wait=10s").contains("\"state\":\"ended\"");
        } catch (IOException _) {
            // the server was killed meanwhile, or its successor is not there yet
            return false;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
