package dev.bobbin.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.host.Leftovers;
import java.util.ArrayList;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A server that is killed with its whole process group while jobs print, and its successor.
@Timeout(120)
final class CrashIT extends KilledServerTests {
    private static final int LINES = 60;
    private static final int JOBS = 8;

    @Test
    void losesNeitherOutputNorOutcome() throws Exception {
        var seed = Long.getLong("bobbin.seed", System.nanoTime());
        var random = new Random(seed);
        var leftovers = Leftovers.of(directory.resolve("run"));
        var expected = IntStream.rangeClosed(1, LINES)
                .mapToObj(line -> "line " + line + "\n")
                .collect(Collectors.joining());
        serve(4);
        for (var round = 0; round < 3; round++) {
            var ids = new ArrayList<String>();
            for (var job = 0; job < JOBS; job++) {
                ids.add(start(job % 2 == 0 ? "kill" : "continue"));
            }
            TimeUnit.MILLISECONDS.sleep(random.nextInt(1200));
            server().killGroup();
            serve(4);
            for (var id : ids) {
                assertThat(server().text("/v1/jobs/" + id + "/output?follow=true"))
                        .as("seed %d, round %d, job %s", seed, round, id)
                        .isEqualTo(expected);
                assertThat(server().get("/v1/jobs/" + id))
                        .contains("\"cause\":\"exited\",\"exit_code\":5", "\"path\":\"", "\"admit\":");
            }
        }
        server().close();
        leftovers.assertNothingMore();
    }

    private String start(String onDisconnect) throws Exception {
        var script = "for i in $(seq " + LINES + "); do echo line $i; sleep 0.03; done; exit 5";
        var body = "{\"command\":[\"sh\",\"-c\",\"%s\"],\"on_disconnect\":\"%s\"}".formatted(script, onDisconnect);
        return server().stream(body).headers().firstValue("Bobbin-Job-Id").orElseThrow();
    }
}
