package dev.bobbin.scheduler.http.v1;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.Job.OnDisconnect;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.Output.Stream;
import dev.bobbin.scheduler.http.RawClient;
import dev.bobbin.scheduler.http.exchange.Disconnects;
import dev.bobbin.scheduler.http.exchange.Rejected;
import io.helidon.http.Status;
import io.helidon.webserver.WebServer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// A reader who leaves after any frame and comes back at its position finds exactly the rest.
final class FrameOutputTest {
    private static final String[] CHARACTERS = {"a", "ü", "€", "😀", "\n"};

    private record Frame(String type, long at, long offset, List<Byte> data) {}

    @Test
    void resumesAtEveryPositionOfRandomOutput() throws Exception {
        var seed = new Random().nextLong();
        System.out.println("FrameOutputTest seed " + seed);
        var random = new Random(seed);
        var jobs = new ConcurrentHashMap<String, ScriptedJob>();
        var disconnects = new Disconnects();
        var answers = new JobAnswer(disconnects);
        var server = WebServer.builder()
                .host("127.0.0.1")
                .port(0)
                .connectionOptions(options -> options.tcpNoDelay(true))
                .shutdownHook(false)
                .routing(routing -> routing.get("/{job}/{from}", (request, response) -> {
                            var path = request.path().pathParameters();
                            var from = Long.parseLong(path.get("from"));
                            answers.read(
                                    Objects.requireNonNull(jobs.get(path.get("job"))),
                                    new JobAnswer.Part(Set.of(Stream.values()), from, true),
                                    Rendition.NDJSON,
                                    response);
                        })
                        .error(
                                Rejected.class,
                                (_, response, _) ->
                                        response.status(Status.BAD_REQUEST_400).send()))
                .build()
                .start();
        try (var client = new RawClient(server.port())) {
            for (var round = 0; round < 40; round++) {
                var name = "job" + round;
                jobs.put(name, randomJob(random));
                var whole = frames(client, name, 0);
                var seen = Map.of("stdout", new ByteArrayOutputStream(), "stderr", new ByteArrayOutputStream());
                for (var frame : whole.subList(0, whole.size() - 1)) {
                    assertThat(frame.offset())
                            .isEqualTo(bytes(seen, frame.type()).size());
                    frame.data().forEach(bytes(seen, frame.type())::write);
                    assertThat(joined(seen, frames(client, name, frame.at()))).isEqualTo(all(whole));
                }
            }
        } finally {
            disconnects.close();
            server.stop();
        }
    }

    private static ScriptedJob randomJob(Random random) {
        var job = new ScriptedJob(OnDisconnect.CONTINUE);
        for (var stream : List.of(Stream.STDOUT, Stream.STDERR, Stream.STDOUT)) {
            var text = new StringBuilder();
            for (var count = 0; count < 1 + random.nextInt(8); count++) {
                text.append(CHARACTERS[random.nextInt(CHARACTERS.length)]);
            }
            var data = text.toString().getBytes(StandardCharsets.UTF_8);
            if (random.nextInt(4) == 0) {
                data[random.nextInt(data.length)] = (byte) 0xff;
            }
            for (var at = 0; at < data.length; ) {
                var length = Math.min(1 + random.nextInt(4), data.length - at);
                var other = random.nextInt(5) == 0;
                job.print(other ? Stream.STDERR : stream, Arrays.copyOfRange(data, at, at + length));
                at += length;
            }
        }
        return job.end(new Outcome.Exited(0));
    }

    private static List<Frame> frames(RawClient client, String job, long from) throws Exception {
        var answer = client.exchange("GET /" + job + "/" + from + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assertThat(answer.status()).isEqualTo(200);
        var frames = new ArrayList<Frame>();
        for (var line : answer.text().split("\n", -1)) {
            if (!line.isEmpty()) {
                frames.add(frame(line));
            }
        }
        return frames;
    }

    private static Frame frame(String line) {
        var match = Pattern.compile("\"type\":\"(\\w+)\",\"at\":(\\d+)").matcher(line);
        assertThat(match.find()).isTrue();
        var data = Pattern.compile("\"offset\":(\\d+),\"data(_base64)?\":\"([^\"]*)\"")
                .matcher(line);
        if (!data.find()) {
            return new Frame(match.group(1), Long.parseLong(match.group(2)), 0, List.of());
        }
        var bytes = data.group(2) == null
                ? data.group(3).replace("\\n", "\n").getBytes(StandardCharsets.UTF_8)
                : Base64.getDecoder().decode(data.group(3));
        var list = new ArrayList<Byte>();
        for (var each : bytes) {
            list.add(each);
        }
        return new Frame(match.group(1), Long.parseLong(match.group(2)), Long.parseLong(data.group(1)), list);
    }

    private static ByteArrayOutputStream bytes(Map<String, ByteArrayOutputStream> streams, String name) {
        return streams.getOrDefault(name, new ByteArrayOutputStream());
    }

    private static List<Byte> all(List<Frame> frames) {
        return joined(Map.of(), frames);
    }

    /// What was seen before and what `frames` add, standard output first.
    private static List<Byte> joined(Map<String, ByteArrayOutputStream> seen, List<Frame> frames) {
        var all = new ArrayList<Byte>();
        for (var type : List.of("stdout", "stderr")) {
            for (var each : bytes(seen, type).toByteArray()) {
                all.add(each);
            }
            frames.stream().filter(frame -> frame.type().equals(type)).forEach(frame -> all.addAll(frame.data()));
        }
        return all;
    }
}
