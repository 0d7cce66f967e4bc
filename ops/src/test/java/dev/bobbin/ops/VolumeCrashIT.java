package dev.bobbin.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.host.Leftovers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Volumes and a server that is killed while it makes, mounts and removes them.
@Timeout(240)
final class VolumeCrashIT extends KilledServerTests {
    private static final int ROUNDS = 5;
    private static final Pattern ID = Pattern.compile("\\{\"id\":\"([^\"]+)\"");
    private static final String MOUNT = "\"mounts\":[{\"type\":\"volume\",\"source\":\"%s\",\"target\":\"/v\"}]";

    @Test
    void leavesNoVolumeThatNobodyKnows() throws Exception {
        var seed = Long.getLong("bobbin.seed", System.nanoTime());
        System.out.println("seed " + seed);
        var random = new Random(seed);
        var leftovers = Leftovers.of(directory.resolve("run"));
        serve(2);
        server().ask(201, "POST", "/v1/sandboxes", "{\"name\":\"keeper\"," + MOUNT.formatted("kept") + "}");
        exec("echo kept > /v/file");
        server().ask(200, "POST", "/v1/run", "{\"command\":[\"true\"]}");
        var job = server().stream("{\"command\":[\"sleep\",\"2974\"],\"on_disconnect\":\"continue\","
                        + MOUNT.formatted("of-a-job") + "}")
                .headers()
                .firstValue("Location")
                .orElseThrow();
        for (var round = 0; round < ROUNDS; round++) {
            var working = new ArrayList<Thread>();
            for (var worker = 0; worker < 3; worker++) {
                working.add(Thread.ofVirtual().start(this::work));
            }
            TimeUnit.MILLISECONDS.sleep(100 + random.nextInt(900));
            server().killGroup();
            for (var thread : working) {
                thread.join();
            }
            serve(2);
            assertThat(server().get("/v1/volumes/kept")).as("seed %d", seed).contains("\"used_by\":[\"sandbox ");
            assertThat(server().get("/v1/volumes/of-a-job")).as("seed %d", seed).contains("\"used_by\":[\"job ");
            assertThat(exec("cat /v/file")).contains("\"stdout\":\"kept\\n\"");
            assertThat(onDisk()).as("seed %d", seed).isEqualTo(listed());
        }
        server().cancel(job);
        for (var sandbox : ids(server().get("/v1/sandboxes"))) {
            server().ask(204, "DELETE", "/v1/sandboxes/" + sandbox, "");
        }
        server().ask(200, "POST", "/v1/volumes/prune", "");
        assertThat(onDisk()).isEmpty();
        server().close();
        leftovers.assertNothingMore();
    }

    private String exec(String script) throws Exception {
        return server().ask(
                        200,
                        "POST",
                        "/v1/exec",
                        "{\"sandbox\":\"keeper\",\"command\":[\"sh\",\"-c\",\"" + script + "\"]}");
    }

    /// Makes, uses and removes volumes until the server is gone.
    private void work() {
        try {
            while (true) {
                var name = "v" + ThreadLocalRandom.current().nextInt(1 << 30);
                server().ask(201, "POST", "/v1/volumes", "{\"name\":\"" + name + "\"}");
                server().run("{\"command\":[\"touch\",\"/v/x\"]," + MOUNT.formatted(name) + "}");
                if (name.endsWith("7")) {
                    server().ask(201, "POST", "/v1/sandboxes", "{" + MOUNT.formatted(name) + "}");
                } else {
                    server().ask(204, "DELETE", "/v1/volumes/" + name, "");
                }
            }
        } catch (Exception _) {
            // it was killed
        }
    }

    private static List<String> ids(String text) {
        return ID.matcher(text).results().map(result -> result.group(1)).toList();
    }

    private Set<String> listed() throws Exception {
        return new TreeSet<>(ids(server().get("/v1/volumes")));
    }

    /// What is in the directory of volumes, once what is removed is gone.
    private Set<String> onDisk() throws Exception {
        var volumes = directory.resolve("data/volumes");
        var trash = volumes.resolve(".trash");
        while (!names(trash).isEmpty()) {
            TimeUnit.MILLISECONDS.sleep(20);
        }
        var names = names(volumes);
        names.remove(".trash");
        return names;
    }

    private static Set<String> names(Path directory) throws IOException {
        var names = new TreeSet<String>();
        try (var entries = Files.newDirectoryStream(directory)) {
            entries.forEach(entry -> names.add(entry.getFileName().toString()));
        } catch (NoSuchFileException _) {
            // nothing was ever in it
        }
        return names;
    }
}
