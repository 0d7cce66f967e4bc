package dev.bobbin.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.host.Leftovers;
import java.io.UncheckedIOException;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A server that is killed with its whole process group while clients read what execs and sandboxes print, and its
/// successor, to whom they come back.
@Timeout(120)
final class LastingCrashIT extends KilledServerTests {
    private static final int LINES = 80;
    private static final String PRINTING =
            "[\"sh\",\"-c\",\"for i in $(seq " + LINES + "); do echo line $i; sleep 0.02; done; exit %d\"]";
    private static final Pattern AT = Pattern.compile("\"at\":(\\d+)");
    private static final Pattern DATA = Pattern.compile("\"data\":\"((?:[^\"\\\\]|\\\\.)*)\"");
    private static final Pattern ID = Pattern.compile("\"id\":\"([^\"]+)\"");

    /// A client that reads frames and remembers where it is.
    private static final class Reader {
        private final StringBuilder text = new StringBuilder();
        private String at = "0";
        private boolean ended;

        /// Takes at most `most` frames; a broken connection ends the reading.
        void read(java.util.stream.Stream<String> frames, int most) {
            try (frames) {
                for (var each = frames.limit(most).iterator(); each.hasNext(); ) {
                    take(each.next());
                }
            } catch (UncheckedIOException _) {
                // the server is gone: it is asked again from where it was
            }
        }

        private void take(String frame) {
            var position = AT.matcher(frame);
            assertThat(position.find()).as(frame).isTrue();
            at = position.group(1);
            var data = DATA.matcher(frame);
            if (data.find()) {
                text.append(data.group(1).replace("\\n", "\n"));
            }
            assertThat(frame).doesNotContain("\"type\":\"gap\"");
            ended |= frame.contains("\"type\":\"ended\"");
        }
    }

    @Test
    void clientsResumeWhereTheyWereAndGetTheExitCode() throws Exception {
        var seed = Long.getLong("bobbin.seed", System.nanoTime());
        var random = new Random(seed);
        var leftovers = Leftovers.of(directory.resolve("run"));
        var expected = IntStream.rangeClosed(1, LINES)
                .mapToObj(line -> "line " + line + "\n")
                .collect(Collectors.joining());
        serve(2);
        server().ask(201, "POST", "/v1/sandboxes", "{\"name\":\"idle\",\"labels\":{\"a\":\"b\"}}");
        for (var round = 0; round < 3; round++) {
            var own = id(server().ask(201, "POST", "/v1/sandboxes", "{\"command\":" + PRINTING.formatted(4) + "}"));
            var body = "{\"sandbox\":\"idle\",\"command\":" + PRINTING.formatted(5) + "}";
            var detached = id(server().ask(202, "POST", "/v1/jobs", "{\"exec\":" + body + "}"));
            var exec = new Reader();
            var answer = server().frames("POST", "/v1/exec", body);
            var attached = answer.headers().firstValue("Bobbin-Job-Id").orElseThrow();
            var reading = Thread.ofVirtual().start(() -> exec.read(answer.body(), Integer.MAX_VALUE));
            var sandbox = new Reader();
            sandbox.read(
                    server().frames("GET", "/v1/sandboxes/" + own + "/output?follow", "")
                            .body(),
                    5);
            TimeUnit.MILLISECONDS.sleep(random.nextInt(1200));

            server().killGroup();
            reading.join();
            assertThat(exec.ended).as("seed %d: the test was too slow", seed).isFalse();
            serve(2);

            resume(exec, "/v1/jobs/" + attached);
            resume(sandbox, "/v1/sandboxes/" + own);
            assertThat(exec.text.toString())
                    .as("seed %d, round %d", seed, round)
                    .isEqualTo(expected);
            assertThat(sandbox.text.toString())
                    .as("seed %d, round %d", seed, round)
                    .isEqualTo(expected);
            assertThat(server().get("/v1/jobs/" + attached)).contains("\"cause\":\"exited\",\"exit_code\":5");
            assertThat(server().get("/v1/jobs/" + detached + "?wait=20s")).contains("\"exit_code\":5");
            assertThat(server().get("/v1/sandboxes/" + own))
                    .contains("\"state\":\"stopped\"", "\"cause\":\"exited\",\"exit_code\":4");
            assertThat(server().get("/v1/sandboxes/idle"))
                    .contains("\"state\":\"running\"", "\"labels\":{\"a\":\"b\"}", "\"execs\":[]");
            server().ask(204, "DELETE", "/v1/sandboxes/" + own, "");
        }
        var after = server().ask(200, "POST", "/v1/exec", "{\"sandbox\":\"idle\",\"command\":[\"echo\",\"on\"]}");
        assertThat(after).contains("\"stdout\":\"on\\n\"");
        server().ask(204, "DELETE", "/v1/sandboxes/idle", "");
        server().close();
        leftovers.assertNothingMore();
    }

    private void resume(Reader reader, String place) throws Exception {
        var path = place + "/output?follow&from=" + reader.at;
        reader.read(server().frames("GET", path, "").body(), Integer.MAX_VALUE);
        assertThat(reader.ended).isTrue();
    }

    private static String id(String text) {
        var found = ID.matcher(text);
        assertThat(found.find()).as(text).isTrue();
        return found.group(1);
    }
}
