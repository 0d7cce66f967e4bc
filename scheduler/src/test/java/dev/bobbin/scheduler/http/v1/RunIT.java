package dev.bobbin.scheduler.http.v1;

import static dev.bobbin.scheduler.http.TestServer.request;
import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.JobId;
import dev.bobbin.scheduler.admission.AdmissionConfig;
import dev.bobbin.scheduler.http.RawClient;
import dev.bobbin.scheduler.http.ServedTests;
import dev.bobbin.scheduler.http.TestServer;
import dev.bobbin.scheduler.tenant.Caller;
import dev.bobbin.scheduler.tenant.Callers;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// `/v1` against a real host.
final class RunIT extends ServedTests {
    private static final Pattern AT = Pattern.compile("\"at\":(\\d+)");
    private static final Pattern DATA = Pattern.compile("\"data(_base64)?\":\"((?:[^\"\\\\]|\\\\.)*)\"");

    private RawClient.Answer run(String body, String... headers) throws IOException {
        return server.post("/v1/run", body, headers);
    }

    private static String sh(String script) {
        return "{\"command\":[\"sh\",\"-c\",\"" + script.replace("\\", "\\\\").replace("\"", "\\\"") + "\"]}";
    }

    private static String jobId(RawClient.Answer answer) {
        return String.valueOf(answer.headers().get("bobbin-job-id"));
    }

    @Test
    void answersWhatAJobDid() throws IOException {
        var answer = run(sh("echo out; echo err >&2; exit 3"));
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.text())
                .contains("\"outcome\":{\"cause\":\"exited\",\"exit_code\":3}")
                .contains("\"stdout\":\"out\\n\",\"stderr\":\"err\\n\",\"truncated\":false")
                .contains("\"image\":\"host\"")
                .contains("\"stdout_bytes\":4")
                .contains("\"path\":\"");
        assertThat(answer.headers())
                .containsEntry("location", "/v1/jobs/" + jobId(answer))
                .containsEntry("x-content-type-options", "nosniff");
    }

    @Test
    void givesAJobWhatItAsksFor() throws IOException {
        var answer = run(
                "{\"command\":[\"sh\",\"-c\",\"cat; cat a/b; stat -c %a a/c; echo $X; pwd\"],\"env\":{\"X\":\"1 2\"},"
                        + "\"workdir\":\"/work\",\"stdin\":\"in\\n\",\"files\":{\"a/b\":\"text\\n\",\"a/c\":{\"base64\":\"AA==\",\"mode\":\"0755\"}},"
                        + "\"limits\":{\"memory\":\"64MiB\",\"cpus\":0.5,\"pids\":64,\"time\":\"10s\",\"output\":1000000,\"disk\":\"1MiB\"},"
                        + "\"network\":\"none\",\"labels\":{\"a\":\"b\"},\"image\":\"host\",\"user\":null}");
        assertThat(answer.text()).contains("\"stdout\":\"in\\ntext\\n755\\n1 2\\n/work\\n\"");
    }

    @Test
    void streamsEachLineAsItIsPrinted() throws IOException {
        try (var client = server.client()) {
            client.send(
                    request("/v1/run", sh("for i in 1 2 3; do echo line $i; sleep 0.3; done"), "Accept: text/plain"));
            assertThat(client.line()).isEqualTo("HTTP/1.1 200 OK");
            client.headers();
            var times = new ArrayList<Long>();
            for (var line = client.chunk(); line.length > 0; line = client.chunk()) {
                times.add(System.nanoTime());
            }
            assertThat(client.headers())
                    .containsEntry("bobbin-outcome", "exited")
                    .containsEntry("bobbin-exit-code", "0");
            assertThat(times).hasSize(3);
            assertThat(Duration.ofNanos(times.get(1) - times.get(0))).isGreaterThan(Duration.ofMillis(200));
            assertThat(Duration.ofNanos(times.get(2) - times.get(1))).isGreaterThan(Duration.ofMillis(200));
        }
    }

    @Test
    void endsAJobThatPrintsNothingWhenItsClientLeaves() throws Exception {
        JobId id;
        try (var client = server.client()) {
            client.send(request("/v1/run", sh("sleep 60"), "Accept: text/plain"));
            client.line();
            id = JobId.parse(String.valueOf(client.headers().get("bobbin-job-id")))
                    .orElseThrow();
            TimeUnit.MILLISECONDS.sleep(400);
        }
        var left = System.nanoTime();
        var ending = server.dispatcher.find(id, Caller.ANYBODY).orElseThrow().await();
        assertThat(ending.outcome().cause()).isEqualTo("cancelled");
        assertThat(Duration.ofNanos(System.nanoTime() - left)).isLessThan(Duration.ofSeconds(20));
    }

    @Test
    void keepsAConnectionForTheNextRun() throws IOException {
        try (var client = server.client()) {
            for (var round = 0; round < 20; round++) {
                var accept = round % 2 == 0 ? "Accept: application/json" : "Accept: text/plain";
                var answer = client.exchange(request("/v1/run", "{\"command\":[\"true\"]}", accept));
                assertThat(answer.status()).isEqualTo(200);
                assertThat(answer.headers()).doesNotContainEntry("connection", "close");
            }
        }
    }

    @Test
    void endsAtItsTimeLimit() throws IOException {
        var answer = run("{\"command\":[\"sleep\",\"60\"],\"limits\":{\"time\":\"200ms\"}}");
        assertThat(answer.text())
                .contains(
                        "\"outcome\":{\"cause\":\"timed_out\",\"exit_code\":137,\"signal\":\"SIGKILL\",\"limit\":\"time\"}");
    }

    @Test
    void isFoundAgain() throws IOException {
        var id = jobId(run(sh("echo one; echo two >&2"), "Accept: text/plain"));
        assertThat(server.get("/v1/jobs/" + id).text())
                .contains("\"state\":\"ended\"", "\"kind\":\"run\"", "\"command\":[\"sh\",\"-c\"", "\"created_at\":\"");
        assertThat(server.get("/v1/jobs/" + id + "/output").text()).isEqualTo("one\ntwo\n");
        assertThat(server.get("/v1/jobs/" + id + "/output?stream=stderr").text())
                .isEqualTo("two\n");
        assertThat(server.get("/v1/jobs/" + id + "/output?from=999999").status())
                .isEqualTo(400);
        assertThat(server.get("/v1/jobs/" + id + "/output?from=999999").text())
                .contains("\"detail\":\"from: the output ends");
        assertThat(server.get("/v1/jobs/" + id + "/output?from=x").text()).contains("\"field\":\"from\"");
        assertThat(server.get("/v1/jobs/" + JobId.next()).status()).isEqualTo(404);
        assertThat(server.get("/v1/jobs/nonsense").status()).isEqualTo(404);
    }

    @Test
    void isResumedWhereAnyFrameEnded() throws IOException {
        var script =
                "printf 'a\\303'; sleep 0.05; printf '\\274b'; printf '\\360\\237' ; printf x >&2; printf '\\230\\200z'";
        var whole = run(sh(script), "Accept: application/x-ndjson");
        var id = jobId(whole);
        var everything = data(whole.text(), "stdout");
        assertThat(everything).isEqualTo(new byte[] {
            'a', (byte) 0xc3, (byte) 0xbc, 'b', (byte) 0xf0, (byte) 0x9f, (byte) 0x98, (byte) 0x80, 'z'
        });
        var seen = new java.io.ByteArrayOutputStream();
        for (var line : whole.text().lines().toList()) {
            seen.writeBytes(data(line, "stdout"));
            var at = AT.matcher(line);
            assertThat(at.find()).isTrue();
            var rest = server.get("/v1/jobs/" + id + "/output?from=" + at.group(1), "Accept: application/x-ndjson");
            var joined = seen.toByteArray();
            var behind = data(rest.text(), "stdout");
            var all = Arrays.copyOf(joined, joined.length + behind.length);
            System.arraycopy(behind, 0, all, joined.length, behind.length);
            assertThat(all).as("from " + at.group(1)).isEqualTo(everything);
        }
    }

    private static byte[] data(String frames, String stream) {
        var bytes = new java.io.ByteArrayOutputStream();
        frames.lines()
                .filter(line -> line.contains("\"type\":\"" + stream + "\""))
                .forEach(line -> {
                    var data = DATA.matcher(line);
                    assertThat(data.find()).isTrue();
                    bytes.writeBytes(
                            data.group(1) == null
                                    ? data.group(2).getBytes(StandardCharsets.UTF_8)
                                    : Base64.getDecoder().decode(data.group(2)));
                });
        return bytes.toByteArray();
    }

    @Test
    void sendsEventsThatABrowserUnderstands() throws IOException {
        var answer = run(sh("echo hi"), "Accept: text/event-stream");
        assertThat(answer.headers()).containsEntry("content-type", "text/event-stream");
        assertThat(answer.text())
                .containsPattern("id: \\d+\nevent: stdout\ndata: \\{\"type\":\"stdout\",\"at\":\\d+,")
                .containsPattern("id: \\d+\nevent: ended\ndata: .*\"cause\":\"exited\"")
                .endsWith("\n\n");
    }

    @Test
    void isFedWhileItRunsAndCancelled() throws Exception {
        try (var client = server.client()) {
            client.send(request("/v1/run", "{\"command\":[\"cat\"],\"stdin\":\"open\"}", "Accept: text/plain"));
            client.line();
            var id = client.headers().get("bobbin-job-id");
            var stdin = "/v1/jobs/" + id + "/stdin";
            assertThat(server.post(stdin + "?at=0", "one\n").text()).isEqualTo("{\"taken\":4}");
            assertThat(new String(client.chunk(), StandardCharsets.UTF_8)).isEqualTo("one\n");
            assertThat(server.post(stdin + "?at=2", "e\ntwo\n").text()).isEqualTo("{\"taken\":8}");
            assertThat(new String(client.chunk(), StandardCharsets.UTF_8)).isEqualTo("two\n");
            assertThat(server.post(stdin, "x").text()).contains("\"field\":\"at\"");
            assertThat(server.post(stdin + "?at=99", "x").status()).isEqualTo(400);
            assertThat(server.post(stdin + "?at=8&eof", "").text()).isEqualTo("{\"taken\":8}");
            assertThat(client.chunk()).isEmpty();
            assertThat(client.headers()).containsEntry("bobbin-outcome", "exited");
        }
        try (var client = server.client()) {
            client.send(request("/v1/run", sh("sleep 60")));
            TimeUnit.MILLISECONDS.sleep(300);
        }
    }

    @Test
    void isCancelledByRequest() throws IOException {
        try (var client = server.client()) {
            client.send(request("/v1/run", sh("sleep 60"), "Accept: text/plain"));
            client.line();
            var id = client.headers().get("bobbin-job-id");
            assertThat(server.get("/v1/jobs/" + id + "?wait=100ms").text()).contains("\"state\":\"running\"");
            assertThat(server.post("/v1/jobs/" + id + "/cancel", "").status()).isEqualTo(202);
            assertThat(server.get("/v1/jobs/" + id + "?wait=5s").text())
                    .contains(
                            "\"outcome\":{\"cause\":\"cancelled\",\"exit_code\":137,\"signal\":\"SIGKILL\",\"by\":\"api\"}");
            assertThat(client.chunk()).isEmpty();
        }
    }

    @Test
    void countsEachJobOnce() throws IOException {
        var meters = server.host.meters;
        var ended = meters.counter("bobbin.jobs.ended", "kind", "run", "cause", "exited");
        var before = ended.count();
        for (var round = 0; round < 10; round++) {
            run("{\"command\":[\"true\"]}", round % 2 == 0 ? "Accept: text/plain" : "Accept: application/json");
        }
        run(sh("sleep 0.4"));
        assertThat(ended.count() - before).isEqualTo(11);
    }

    @Test
    void refusesWhatIsLargerThanTheMachine() throws IOException {
        for (var limit : Map.of("memory", "\"1000000GiB\"", "cpus", "4096", "pids", "4194304")
                .entrySet()) {
            var name = limit.getKey();
            var answer = run("{\"command\":[\"true\"],\"limits\":{\"" + name + "\":" + limit.getValue() + "}}");
            assertThat(answer.status()).as(name).isEqualTo(422);
            assertThat(answer.text()).contains("\"code\":\"never_fits\"", "\"field\":\"limits." + name + "\"");
        }
    }

    @Test
    void keepsRareLimits() throws IOException {
        var answer =
                run("{\"command\":[\"sh\",\"-c\",\"nproc; ulimit -n\"],\"limits\":{\"cpuset\":\"0\",\"cpu_weight\":200,"
                        + "\"nofile\":256,\"io\":{\"read_bps\":\"100MiB\",\"write_iops\":1000}}}");
        assertThat(answer.text()).contains("\"stdout\":\"1\\n256\\n\"");
        assertThat(server.get("/v1/jobs/" + jobId(answer)).text())
                .contains("\"cpuset\":\"0\",\"cpu_weight\":200,\"nofile\":256,"
                        + "\"io\":{\"read_bps\":104857600,\"write_iops\":1000}");
    }

    @Test
    void takesAProfileOfSystemCallsByName() throws IOException {
        var command = "{\"command\":[\"chroot\",\"/\",\"true\"]";
        assertThat(run(command + "}").text()).contains("\"exit_code\":0");
        var answer = run(command + ",\"seccomp\":\"restrictive\"}");
        assertThat(answer.text()).contains("\"exit_code\":125");
        assertThat(server.get("/v1/jobs/" + jobId(answer)).text()).contains("\"seccomp\":\"restrictive\"");
        var unknown = run(command + ",\"seccomp\":\"loose\"}");
        assertThat(unknown.status()).isEqualTo(400);
        assertThat(unknown.text())
                .contains("\"field\":\"seccomp\"", "\\\"loose\\\", but default, moderate, restrictive");
    }

    @Test
    void namesTheRareLimitThatIsWrong() throws IOException {
        for (var wrong : List.of(
                "cpuset\":\"\"",
                "cpuset\":\"1-0\"",
                "cpuset\":\"all\"",
                "cpu_weight\":0",
                "cpu_weight\":10001",
                "nofile\":3",
                "nofile\":1.5",
                "io\":{\"read_bps\":0}",
                "io\":{\"bps\":1}")) {
            var answer = run("{\"command\":[\"true\"],\"limits\":{\"" + wrong + "}}");
            assertThat(answer.status()).as(wrong).isEqualTo(400);
            assertThat(answer.text())
                    .as(wrong)
                    .contains("\"field\":\"limits." + wrong.substring(0, wrong.indexOf('"')));
        }
        for (var large : Map.of("cpuset", "\"4095\"", "nofile", "1000000000").entrySet()) {
            var answer =
                    run("{\"command\":[\"true\"],\"limits\":{\"" + large.getKey() + "\":" + large.getValue() + "}}");
            assertThat(answer.status()).as(answer.text()).isEqualTo(422);
            assertThat(answer.text())
                    .contains("\"code\":\"never_fits\"", "\"field\":\"limits." + large.getKey() + "\"");
        }
    }

    @Test
    void turnsAwayWhatWouldOvercommitTheMachine() throws IOException {
        var narrow = new AdmissionConfig(100, 0, Duration.ZERO, 1);
        try (var full = TestServer.open(narrow, Callers.anybody())) {
            var most = full.host.runtime().capacity().memoryBytes();
            var body = "{\"command\":[\"sleep\",\"60\"],\"limits\":{\"memory\":" + most + "}}";
            try (var first = full.client()) {
                first.send(TestServer.request("/v1/run", body, "Accept: text/plain"));
                assertThat(first.line()).endsWith("200 OK");
                var answer = full.post("/v1/run", sh("true"));
                assertThat(answer.status()).isEqualTo(429);
                assertThat(answer.headers()).containsKey("retry-after");
                assertThat(answer.text()).contains("\"code\":\"busy\"", "memory limits");
            }
        }
    }

    @Test
    void countsTheBytesOfStandardInput() throws IOException {
        assertThat(run("{\"command\":[\"cat\"],\"stdin\":\"12345\"}").text())
                .contains("\"stdin_bytes\":5,\"stdout_bytes\":5");
        assertThat(run("{\"command\":[\"true\"]}").text()).contains("\"stdin_bytes\":0");
    }

    @Test
    void countsWhatTheKernelKilledAndWhatWasDropped() throws Exception {
        var meters = server.host.meters;
        var kills = meters.counter("bobbin.oom.kills", "level", "job");
        var dropped = meters.counter("bobbin.stream.dropped.bytes", "policy", "drop");
        assertThat(meters.find("bobbin.oom.kills").counters()).hasSize(2);
        assertThat(meters.find("bobbin.stream.dropped.bytes").counters()).hasSize(2);
        var killsBefore = kills.count();
        var droppedBefore = dropped.count();
        var killed = run("{\"command\":[\"sh\",\"-c\",\"head -c 64M /dev/zero | tail; exit 0\"],"
                + "\"limits\":{\"memory\":\"16MiB\"}}");
        var noisy = run(
                "{\"command\":[\"seq\",\"200000\"]," + "\"output_policy\":\"drop\",\"limits\":{\"output\":\"64KiB\"}}");
        assertThat(killed.text()).contains("\"oom_level\":\"job\"");
        assertThat(number(noisy, "dropped_bytes")).isPositive();
        var deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
        while (dropped.count() == droppedBefore && System.nanoTime() < deadline) {
            Thread.onSpinWait();
        }
        assertThat(kills.count() - killsBefore).isEqualTo(number(killed, "oom_kills"));
        assertThat(dropped.count() - droppedBefore).isEqualTo(number(noisy, "dropped_bytes"));
    }

    private static double number(RawClient.Answer answer, String field) {
        var found = Pattern.compile("\"" + field + "\":(\\d+)").matcher(answer.text());
        assertThat(found.find()).as(answer.text()).isTrue();
        return Double.parseDouble(found.group(1));
    }

    @Test
    void saysWhatAJobMayUseAndWhatItUsed() throws IOException {
        var answer = run("{\"command\":[\"sh\",\"-c\",\"head -c 64M /dev/zero | tail; exit 9\"],"
                + "\"limits\":{\"memory\":\"16MiB\"}}");
        // which process the kernel takes, and whether it takes another while the first still dies, is its own affair
        assertThat(answer.text())
                .containsPattern(
                        "\"outcome\":\\{\"cause\":\"out_of_memory\",.*\"level\":\"job\",\"victim\":\"(main|child)\"}")
                .containsPattern("\"oom_kills\":[12]")
                .contains("\"disk_bytes\":", "\"dropped_bytes\":0");
        assertThat(server.get("/v1/jobs/" + jobId(answer)).text())
                .contains("\"limits\":{\"memory\":16777216,\"pids\":1024,\"time\":3600.0");
    }

    @Test
    void dropsTheOldestOutputAndSaysSo() throws IOException {
        var answer = run("{\"command\":[\"sh\",\"-c\",\"seq 200000; sleep 0.2; seq 200000\"],"
                + "\"output_policy\":\"drop\",\"limits\":{\"output\":\"256KiB\"}}");
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.text()).contains("\"cause\":\"exited\"", "\"exit_code\":0");
        var frames = server.get("/v1/jobs/" + jobId(answer) + "/output", "Accept: application/x-ndjson")
                .text();
        assertThat(frames).contains("{\"type\":\"gap\"", "\"stream\":\"stdout\",\"offset\":", "199999");
        var gap = Pattern.compile("\"stream\":\"stdout\",\"offset\":(\\d+),\"bytes\":(\\d+)")
                .matcher(frames);
        assertThat(gap.find()).isTrue();
        try (var client = server.client()) {
            client.send(TestServer.head("GET", "/v1/jobs/" + jobId(answer) + "/output", "Accept: text/plain") + "\r\n");
            client.line();
            assertThat(client.headers().get("trailer")).contains("Bobbin-Gaps");
            var bytes = 0L;
            for (var chunk = client.chunk(); chunk.length > 0; chunk = client.chunk()) {
                bytes += chunk.length;
            }
            assertThat(client.headers())
                    .containsEntry("bobbin-gaps", "stdout;offset=" + gap.group(1) + ";bytes=" + gap.group(2));
            assertThat(answer.text()).contains("\"stdout_bytes\":" + (bytes + Long.parseLong(gap.group(2))));
        }
    }
}
