package dev.bobbin.scheduler.http.v1;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.HotSpotDiagnosticMXBean;
import dev.bobbin.runner.Ending;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.JobId;
import dev.bobbin.scheduler.http.Listen;
import dev.bobbin.scheduler.http.RawClient;
import dev.bobbin.scheduler.http.TestServer;
import dev.bobbin.scheduler.http.WebSocketClient;
import dev.bobbin.scheduler.tenant.Caller;
import dev.bobbin.scheduler.tenant.Callers;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Terminals over WebSockets and raw connections, on TCP and on a Unix socket.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(60)
final class TerminalsIT {
    private static final String TCP = "tcp";
    private static final String UNIX = "unix";
    private static final String BOX = "/v1/sandboxes/box/terminal";
    private static final String RAW = "Connection: Upgrade\r\nUpgrade: tcp\r\n";

    @TempDir
    private static Path directory = Path.of("/");

    private TestServer server = unset();

    @SuppressWarnings("NullAway") // set before any test
    private static TestServer unset() {
        return null;
    }

    @BeforeAll
    void open() throws IOException {
        server = TestServer.listening(
                List.of(Listen.parse("127.0.0.1:0"), Listen.parse("unix:" + directory.resolve("s"))),
                Callers.anybody());
        assertThat(server.post("/v1/sandboxes", "{\"name\":\"box\",\"env\":{\"PS1\":\"> \"}}")
                        .status())
                .isEqualTo(201);
    }

    @AfterAll
    void close() throws IOException {
        assertThat(server.delete("/v1/sandboxes/box").status()).isEqualTo(204);
        server.close();
    }

    private WebSocketClient client(String way) throws IOException {
        SocketAddress address = way.equals(UNIX)
                ? UnixDomainSocketAddress.of(directory.resolve("s"))
                : new InetSocketAddress(InetAddress.getLoopbackAddress(), server.http.port());
        return new WebSocketClient(address);
    }

    private WebSocketClient client() throws IOException {
        return client(TCP);
    }

    private Execution job(WebSocketClient client) throws InterruptedException {
        return job(String.valueOf(client.headers.get("bobbin-job-id")));
    }

    private Execution job(String id) throws InterruptedException {
        return server.dispatcher
                .find(JobId.parse(id).orElseThrow(), Caller.ANYBODY)
                .orElseThrow();
    }

    /// A job in the sandbox that nobody waits for.
    private String detached(String script, String more) throws IOException {
        var answer = server.post(
                "/v1/jobs",
                "{\"exec\":{\"sandbox\":\"box\",\"command\":[\"sh\",\"-c\",\"" + script + "\"]" + more + "}}");
        assertThat(answer.status()).as(answer.text()).isEqualTo(202);
        return String.valueOf(answer.headers().get("bobbin-job-id"));
    }

    private String terminal(String script) throws IOException {
        return detached(script, ",\"terminal\":{}");
    }

    private static Ending end(Execution job) throws Exception {
        try (job) {
            return CompletableFuture.supplyAsync(() -> {
                        try {
                            return job.await();
                        } catch (InterruptedException e) {
                            throw new AssertionError(e);
                        }
                    })
                    .get(20, TimeUnit.SECONDS);
        }
    }

    private static String cancelled(Execution job) throws Exception {
        job.cancel("test");
        return end(job).outcome().cause();
    }

    @ParameterizedTest
    @ValueSource(strings = {TCP, UNIX})
    void showsAShellTakesWhatIsTypedAndSaysHowItEnded(String way) throws Exception {
        try (var shell = client(way).upgrade(BOX + "?rows=33&columns=101")) {
            assertThat(shell.status).isEqualTo(101);
            assertThat(shell.headers)
                    .containsEntry("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
                    .containsEntry("upgrade", "websocket");
            shell.await("> ");
            shell.type("echo $((40+2)); stty size; echo $0; exit 7\n");
            shell.await("42\r\n33 101\r\n/bin/sh\r\n");
            assertThat(shell.awaitClose()).isEqualTo(1000);
            assertThat(shell.texts().getFirst())
                    .contains("\"type\":\"started\"", "\"id\":\"" + shell.headers.get("bobbin-job-id") + "\"");
            assertThat(shell.texts().getLast())
                    .contains("\"type\":\"ended\"", "\"outcome\":{\"cause\":\"exited\",\"exit_code\":7}");
        }
    }

    @Test
    void takesItsCommandFromTheQuery() throws IOException {
        var query = "?command=sh&command=-c&command=" + "echo%20%24A%20%24TERM%3B%20id%20-un%3B%20pwd"
                + "&env=A=b%20c&env=TERM=vt100&user=nobody&workdir=/tmp&time=10s";
        try (var shell = client().upgrade(BOX + query)) {
            assertThat(shell.awaitClose()).isEqualTo(1000);
            assertThat(shell.shown()).isEqualTo("b c vt100\r\nnobody\r\n/tmp\r\n");
        }
    }

    @Test
    void speaksWithOtherPeoplesWebSockets() throws Exception {
        var shown = new StringBuilder();
        var closed = new CompletableFuture<Integer>();
        try (var http = HttpClient.newHttpClient()) {
            var socket = http.newWebSocketBuilder()
                    .buildAsync(URI.create("ws://127.0.0.1:" + server.http.port() + BOX), new WebSocket.Listener() {
                        @Override
                        public CompletionStage<?> onBinary(WebSocket from, ByteBuffer data, boolean last) {
                            shown.append(StandardCharsets.UTF_8.decode(data));
                            from.request(1);
                            return CompletableFuture.completedFuture(null);
                        }

                        @Override
                        public CompletionStage<?> onClose(WebSocket from, int code, String reason) {
                            closed.complete(code);
                            return CompletableFuture.completedFuture(null);
                        }

                        @Override
                        public void onError(WebSocket from, Throwable error) {
                            closed.completeExceptionally(error);
                        }
                    })
                    .get(10, TimeUnit.SECONDS);
            socket.sendText("{\"resize\":{\"rows\":41,", false)
                    .thenCompose(sent -> sent.sendText("\"columns\":99}}", true))
                    .thenCompose(sent -> sent.sendPing(ByteBuffer.wrap(new byte[] {1})))
                    .thenCompose(
                            sent -> sent.sendBinary(ByteBuffer.wrap("stty ".getBytes(StandardCharsets.UTF_8)), false))
                    .thenCompose(sent ->
                            sent.sendBinary(ByteBuffer.wrap("size; exit\n".getBytes(StandardCharsets.UTF_8)), true))
                    .get(10, TimeUnit.SECONDS);
            assertThat(closed.get(20, TimeUnit.SECONDS)).isEqualTo(1000);
            assertThat(shown.toString()).contains("41 99\r\n");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {TCP, UNIX})
    void letsSeveralWatchAndTypeAndLeave(String way) throws Exception {
        var id = terminal("echo ready; while read line; do echo got $line; done; exit 3");
        var path = "/v1/jobs/" + id + "/terminal";
        try (var one = client(way).upgrade(path);
                var other = client(way).ask(TestServer.head("GET", path) + RAW + "\r\n")) {
            assertThat(other.status).isEqualTo(101);
            assertThat(other.headers).containsEntry("upgrade", "tcp").doesNotContainKey("transfer-encoding");
            one.await("ready\r\n");
            other.until("ready\r\n");
            one.type("a\n");
            other.until("got a\r\n");
            other.send("b\n".getBytes(StandardCharsets.UTF_8));
            one.await("got b\r\n");
            one.sendClose(1000);
            assertThat(one.awaitClose()).isEqualTo(1000);
            other.send("c\n".getBytes(StandardCharsets.UTF_8));
            other.until("got c\r\n");
        }
        try (var again = client(way).upgrade(path)) {
            again.await("got c\r\n");
            again.type("d\n\004");
            assertThat(again.awaitClose()).isEqualTo(1000);
            assertThat(again.shown()).endsWith("got d\r\n");
        }
        assertThat(end(job(id)).outcome().exitCode()).isEqualTo(3);
    }

    @Test
    void goesOnFromAPositionWithoutALossOrARepetition() throws Exception {
        var id = terminal("stty -onlcr; seq 20000; sleep 0.2; seq 20001 40000");
        var path = "/v1/jobs/" + id + "/terminal";
        var text = new StringBuilder();
        var at = 0L;
        for (var messages = 1; messages > 0; messages++) {
            try (var viewer = client().upgrade(path + "?from=" + at)) {
                assertThat(viewer.status).isEqualTo(101);
                viewer.at = at;
                var more = true;
                for (var left = messages * 2; left > 0 && more; left--) {
                    more = viewer.receive();
                }
                text.append(viewer.shown());
                at = viewer.at;
                messages = more ? messages : Integer.MIN_VALUE;
            }
        }
        var lines =
                IntStream.rangeClosed(1, 40000).mapToObj(each -> each + "\n").toList();
        assertThat(text.toString()).isEqualTo(String.join("", lines));
    }

    @Test
    void replaysWhatEndedAndShowsWhatComesNextToThoseWhoAskForThat() throws Exception {
        var id = terminal("echo before; read line; echo after");
        var path = "/v1/jobs/" + id + "/terminal";
        try (var first = client().upgrade(path)) {
            first.await("before\r\n");
            try (var late = client().upgrade(path + "?from=end")) {
                late.type("x\n");
                assertThat(late.awaitClose()).isEqualTo(1000);
                assertThat(late.shown()).isEqualTo("x\r\nafter\r\n");
            }
            assertThat(first.awaitClose()).isEqualTo(1000);
        }
        try (var replay = client().upgrade(path)) {
            assertThat(replay.awaitClose()).isEqualTo(1000);
            assertThat(replay.shown()).isEqualTo("before\r\nx\r\nafter\r\n");
            assertThat(replay.texts().getLast()).contains("\"type\":\"ended\"");
        }
        try (var raw = client().ask(TestServer.head("GET", path) + RAW + "\r\n")) {
            assertThat(raw.rest()).isEqualTo("before\r\nx\r\nafter\r\n");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {TCP, UNIX})
    void answersAnExecWithARawStream(String way) throws Exception {
        var body = "{\"sandbox\":\"box\",\"command\":[\"sh\"],\"terminal\":{\"rows\":20,\"columns\":70}}";
        var request = TestServer.request("/v1/exec", body, "Connection: Upgrade", "Upgrade: tcp");
        try (var shell = client(way)) {
            // what is typed may come right behind the body
            shell.ask(request + "stty size; echo $((40+2)); exit 7\n");
            assertThat(shell.status).isEqualTo(101);
            assertThat(shell.rest()).contains("20 70\r\n42\r\n");
            assertThat(end(job(shell)).outcome().exitCode()).isEqualTo(7);
        }
    }

    @Test
    void answersClientsThatKnowNoUpgradesWithAnEndlessBody() throws Exception {
        var body = "{\"sandbox\":\"box\",\"command\":[\"sh\"],\"terminal\":{}}";
        var request = TestServer.request("/v1/exec", body, "Accept: application/octet-stream");
        try (var shell = client()) {
            var middle = request.length() - body.length() / 2;
            shell.send(request.substring(0, middle).getBytes(StandardCharsets.UTF_8));
            TimeUnit.MILLISECONDS.sleep(100);
            shell.ask(request.substring(middle));
            assertThat(shell.status).isEqualTo(200);
            assertThat(shell.headers)
                    .containsEntry("content-type", "application/octet-stream")
                    .doesNotContainKeys("transfer-encoding", "content-length", "connection");
            shell.send("echo $((40+2))\n".getBytes(StandardCharsets.UTF_8));
            shell.until("42\r\n");
            shell.send("exit 3\n".getBytes(StandardCharsets.UTF_8));
            shell.rest();
            assertThat(end(job(shell)).outcome().exitCode()).isEqualTo(3);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {TCP, UNIX})
    void runsInASandboxOfItsOwn(String way) throws Exception {
        var body = "{\"command\":[\"sh\",\"-c\",\"tty; stty size; read a; echo got $a; exit 4\"],"
                + "\"user\":\"nobody\",\"terminal\":{\"rows\":20,\"columns\":70}}";
        try (var run = client(way)) {
            run.ask(TestServer.request("/v1/run", body, "Connection: Upgrade", "Upgrade: tcp"));
            run.until("/dev/pts/0\r\n20 70\r\n");
            run.send("x\n".getBytes(StandardCharsets.UTF_8));
            assertThat(run.rest()).isEqualTo("x\r\ngot x\r\n");
            assertThat(end(job(run)).outcome().exitCode()).isEqualTo(4);
        }
    }

    @Test
    void endsTheInputOfWhoeverSendsNoMoreAndShowsTheRest() throws Exception {
        var body = "{\"sandbox\":\"box\",\"command\":[\"sh\",\"-c\",\"cat; echo end; sleep 0.5; echo of it\"],"
                + "\"terminal\":{}}";
        for (var typed : List.of("a\nb\n", "no end of line", "")) {
            try (var half = client()) {
                half.ask(TestServer.request("/v1/exec", body, "Connection: Upgrade", "Upgrade: tcp"));
                half.send(typed.getBytes(StandardCharsets.UTF_8));
                half.shutdownOutput();
                assertThat(half.rest()).endsWith("end\r\nof it\r\n");
                assertThat(end(job(half)).outcome().exitCode()).isZero();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {TCP, UNIX})
    void endsAJobWhoseClientGoesUnlessItIsToContinue(String way) throws Exception {
        var script =
                "{\"sandbox\":\"box\",\"command\":[\"sh\",\"-c\",\"stty -icanon; while :; do echo on; sleep 0.1; done\"],"
                        + "\"terminal\":{}";
        for (var kept : List.of(false, true)) {
            Execution job;
            try (var client = client(way)) {
                var body = script + (kept ? ",\"on_disconnect\":\"continue\"}" : "}");
                client.ask(TestServer.request("/v1/exec", body, "Connection: Upgrade", "Upgrade: tcp"));
                client.until("on\r\n");
                job = job(client);
            }
            if (kept) {
                TimeUnit.MILLISECONDS.sleep(700);
                assertThat(job.ending()).isEmpty();
                assertThat(cancelled(job)).isEqualTo("cancelled");
            } else {
                assertThat(end(job).outcome().cause()).isEqualTo("cancelled");
            }
        }
    }

    @Test
    void endsAWebSocketsJobWithItIfAskedTo() throws Exception {
        for (var asked : List.of("", "?on_disconnect=kill")) {
            Execution job;
            try (var client = client().upgrade(BOX + asked)) {
                client.await("> ");
                job = job(client);
            }
            if (asked.isEmpty()) {
                TimeUnit.MILLISECONDS.sleep(700);
                assertThat(job.ending()).isEmpty();
                assertThat(cancelled(job)).isEqualTo("cancelled");
            } else {
                assertThat(end(job).outcome().cause()).isEqualTo("cancelled");
            }
        }
    }

    @Test
    void refusesSizesThatNoTerminalHas() throws Exception {
        try (var shell = client().upgrade(BOX)) {
            shell.await("> ");
            for (var wrong :
                    List.of("{\"rows\":0,\"columns\":0}", "{\"rows\":1,\"columns\":65536}", "7", "{\"x\":1}")) {
                shell.texts().clear();
                shell.text("{\"resize\":" + wrong + "}");
                shell.awaitText("\"type\":\"error\"");
                assertThat(shell.texts().getLast()).contains("\"code\":\"invalid\"", "\"field\":\"resize");
            }
            shell.texts().clear();
            shell.text("no JSON");
            shell.awaitText("malformed JSON");
            shell.type("stty size; exit\n");
            shell.await("24 80\r\n");
            shell.awaitClose();
        }
        assertThat(server.get(BOX + "?rows=0").status()).isEqualTo(426);
        try (var shell = client().upgrade(BOX + "?rows=0&columns=5")) {
            assertThat(shell.status).isEqualTo(400);
        }
    }

    @Test
    void refusesWhatHasNoTerminal() throws Exception {
        var id = detached("sleep 30", "");
        var path = "/v1/jobs/" + id + "/terminal";
        try (var client = client().upgrade(path)) {
            assertThat(client.status).isEqualTo(409);
        }
        var plain = server.get(path);
        assertThat(plain.status()).isEqualTo(426);
        assertThat(plain.headers())
                .containsEntry("upgrade", "websocket, tcp")
                .containsEntry("sec-websocket-version", "13");
        assertThat(cancelled(job(id))).isEqualTo("cancelled");
        try (var client = client().upgrade("/v1/jobs/" + JobId.next() + "/terminal")) {
            assertThat(client.status).isEqualTo(404);
        }
        try (var client = client().upgrade("/v1/sandboxes/none/terminal")) {
            assertThat(client.status).isEqualTo(404);
        }
        var without = "{\"sandbox\":\"box\",\"command\":[\"sh\"]}";
        var refused = server.post("/v1/exec", without, "Connection: Upgrade", "Upgrade: tcp");
        assertThat(refused.status()).isEqualTo(400);
        assertThat(refused.text()).contains("\"field\":\"terminal\"");
        assertThat(server.post(path, "").status()).isEqualTo(405);
    }

    @Test
    void refusesPositionsThatAreNone() throws Exception {
        var id = terminal("echo x");
        end(job(id));
        for (var from : List.of("999999", "-1", "x")) {
            try (var client = client().upgrade("/v1/jobs/" + id + "/terminal?from=" + from)) {
                assertThat(client.status).as(from).isEqualTo(400);
            }
        }
    }

    @Test
    void refusesOtherVersionsKeysAndPagesOfOthers() throws Exception {
        var head = TestServer.head("GET", BOX) + "Connection: Upgrade\r\nUpgrade: websocket\r\n";
        try (var client = client().ask(head + "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: x\r\n\r\n")) {
            assertThat(client.status).isEqualTo(426);
        }
        try (var client = client().ask(head + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n\r\n")) {
            assertThat(client.status).isEqualTo(400);
        }
        try (var client = client().upgrade(BOX, "Origin: http://evil.example")) {
            assertThat(client.status).isEqualTo(403);
        }
        try (var client = client().upgrade(BOX, "Host: evil.example")) {
            assertThat(client.status).isEqualTo(421);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "81, 7fffffffffffffff, 1009", // a text without end
        "82, 10001, 1009",
        "89, 7e, 1002", // a ping that is too long
        "09, 1, 1002", // and one in parts
        "c1, 1, 1002", // an extension
        "80, 1, 1002", // the rest of nothing
        "83, 1, 1002", // a frame that there is not
        "8b, 1, 1002",
        "88, 1, 1002", // half a code
    })
    void closesTheWebSocketOfWhoeverBreaksTheProtocol(String first, String length, int code) throws Exception {
        try (var client = client().upgrade(BOX)) {
            client.await("> ");
            var size = Long.parseLong(length, 16);
            if (size > 125) {
                client.send(ByteBuffer.allocate(14)
                        .put((byte) Integer.parseInt(first, 16))
                        .put((byte) 0xff)
                        .putLong(size)
                        .putInt(0)
                        .array());
            } else {
                client.send(WebSocketClient.frame(Integer.parseInt(first, 16), new byte[(int) size]));
            }
            assertThat(client.awaitClose()).isEqualTo(code);
            assertThat(cancelled(job(client))).isEqualTo("cancelled");
        }
    }

    @Test
    void closesTheWebSocketOfWhoeverSendsNoTextAsTextOrWithoutAMask() throws Exception {
        try (var client = client().upgrade(BOX)) {
            client.send(WebSocketClient.frame(0x81, new byte[] {(byte) 0xff}));
            assertThat(client.awaitClose()).isEqualTo(1007);
            cancelled(job(client));
        }
        try (var client = client().upgrade(BOX)) {
            client.send(new byte[] {(byte) 0x82, 1, 'x'});
            assertThat(client.awaitClose()).isEqualTo(1002);
            cancelled(job(client));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {TCP, UNIX})
    void neverWaitsForAViewerWhoReadsNothing(String way) throws Exception {
        var id = terminal("stty -onlcr; yes | head -c 30000000; echo done");
        try (var raw = client(way).ask(TestServer.head("GET", "/v1/jobs/" + id + "/terminal") + RAW + "\r\n");
                var socket = client(way).upgrade("/v1/jobs/" + id + "/terminal")) {
            assertThat(raw.status + socket.status).isEqualTo(202);
            assertThat(serving()).isNotEmpty();
            assertThat(end(job(id)).outcome().exitCode()).isZero();
            awaitNoReaders();
            assertThat(raw.rest().length()).isLessThan(30_000_000);
        }
    }

    @Test
    void takesNoMoreOfWhatIsTypedThanTheProgramReads() throws Exception {
        var id = terminal("stty raw; echo ready; sleep 3; exit 5");
        var sent = new AtomicLong();
        try (var viewer = client().upgrade("/v1/jobs/" + id + "/terminal")) {
            viewer.await("ready");
            var keys = WebSocketClient.frame(0x82, "x".repeat(32_000).getBytes(StandardCharsets.UTF_8));
            Thread.ofVirtual().start(() -> {
                try {
                    while (true) {
                        viewer.send(keys);
                        sent.addAndGet(keys.length);
                    }
                } catch (IOException _) {
                    // closed
                }
            });
            TimeUnit.MILLISECONDS.sleep(1500);
            assertThat(sent.get()).as("what sockets hold").isLessThan(24_000_000);
            assertThat(viewer.awaitClose()).isEqualTo(1000);
        }
        assertThat(end(job(id)).outcome().exitCode()).isEqualTo(5);
        awaitNoReaders();
    }

    /// Waits until no thread serves a terminal any more.
    private static void awaitNoReaders() throws Exception {
        var deadline = System.nanoTime() + TestServer.STALLED.plusSeconds(8).toNanos();
        for (var left = serving(); !left.isEmpty(); left = serving()) {
            assertThat(System.nanoTime()).as("%s", left).isLessThan(deadline);
            TimeUnit.MILLISECONDS.sleep(200);
        }
    }

    /// Where threads stand that serve terminals.
    private static List<String> serving() throws IOException {
        var dump = directory.resolve("threads");
        Files.deleteIfExists(dump);
        ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
                .dumpThreads(dump.toString(), HotSpotDiagnosticMXBean.ThreadDumpFormat.TEXT_PLAIN);
        try (var lines = Files.lines(dump)) {
            return lines.filter(line -> line.contains("RawTerminal.") || line.contains("TerminalSocket."))
                    .toList();
        }
    }

    @Test
    void tellsViewersThatTheServerStops() throws Exception {
        try (var other = TestServer.open(Duration.ofSeconds(30))) {
            other.post("/v1/sandboxes", "{\"name\":\"box\"}");
            var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), other.http.port());
            try (var shell = new WebSocketClient(address).upgrade(BOX)) {
                shell.await("# ");
                other.http.stop();
                assertThat(shell.awaitClose()).isEqualTo(1001);
            }
            other.sandboxes.find("box", Caller.ANYBODY).orElseThrow().remove();
        }
    }

    @Test
    void showsTheOwnProcessOfASandboxOverStopAndStart() throws Exception {
        var made = server.post(
                "/v1/sandboxes",
                "{\"name\":\"own\",\"command\":[\"sh\"],\"env\":{\"PS1\":\"> \"},\"terminal\":{\"rows\":30,\"columns\":90}}");
        assertThat(made.status()).as(made.text()).isEqualTo(201);
        for (var round = 0; round < 2; round++) {
            try (var shell = client().upgrade("/v1/jobs/" + ownJob() + "/terminal")) {
                shell.await("> ");
                shell.text("{\"resize\":{\"rows\":31,\"columns\":91}}");
                shell.type("stty size; tty; trap 'exit 9' TERM\n");
                shell.await("31 91\r\n/dev/pts/");
                assertThat(server.post("/v1/sandboxes/own/restart", "{\"signal\":\"KILL\"}")
                                .status())
                        .isEqualTo(200);
                assertThat(shell.awaitClose()).isEqualTo(1000);
            }
        }
        assertThat(server.delete("/v1/sandboxes/own").status()).isEqualTo(204);
    }

    private String ownJob() throws IOException {
        var text = server.get("/v1/sandboxes/own").text();
        return text.replaceFirst("(?s).*\"job\":\"([^\"]+)\".*", "$1");
    }

    @Test
    void refusesATerminalForASandboxThatIdles() throws IOException {
        RawClient.Answer answer = server.post("/v1/sandboxes", "{\"terminal\":{}}");
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.text()).contains("\"field\":\"terminal\"");
    }
}
