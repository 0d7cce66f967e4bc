package dev.bobbin.benchmarks.compare;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A job that does one harmful thing until it is ended.
///
/// @param body the request but for its end
/// @param readers how many connections follow its output; a single one reads as fast as it can, several do not read
record Hostile(String name, String body, int readers) {
    private static final int SLOW = 200;
    private static final int NOBODY = 0;
    private static final String ENDLESS = "1099511627776";

    /// All of them; `probe` is the program that does most, as a path inside a sandbox.
    static List<Hostile> all(Path probe) {
        return List.of(
                run(
                        "spins on every processor",
                        NOBODY,
                        "64MiB",
                        "",
                        shell("for i in 1 2 3 4; do while :; do :; done & done; wait")),
                run("fork bomb", NOBODY, "1GiB", "", argv(probe, "fork", "0")),
                run("10,000 threads, 1,024 allowed", NOBODY, "256MiB", "", argv(probe, "threads", "10000")),
                run(
                        "allocates without end, again and again",
                        NOBODY,
                        "32MiB",
                        "",
                        shell("while :; do " + probe + " alloc 100000 >/dev/null; done")),
                run(
                        "fills its disk again and again",
                        NOBODY,
                        "64MiB",
                        "",
                        shell("while :; do head -c 64M /dev/zero >/tmp/x; done")),
                run(
                        "fills its inodes",
                        NOBODY,
                        "64MiB",
                        "",
                        shell("while :; do " + probe + " inodes /tmp >/dev/null; rm -rf /tmp/*; done")),
                run("one line without end, read", 1, "64MiB", "block", argv(probe, "spew", ENDLESS)),
                run("one line without end, drop", NOBODY, "64MiB", "drop", argv(probe, "spew", ENDLESS)),
                run("one line without end, block, unread", NOBODY, "64MiB", "block", argv(probe, "spew", ENDLESS)),
                run("random bytes, read", 1, "64MiB", "block", shell("cat /dev/urandom")),
                run("yes, 200 readers that do not read", SLOW, "64MiB", "drop", argv(Path.of("yes"))),
                run("writes byte by byte, drop", NOBODY, "64MiB", "drop", argv(probe, "drip", ENDLESS)),
                run("a full pipe nobody reads", NOBODY, "64MiB", "", argv(probe, "fullpipe")));
    }

    private static Hostile run(String name, int readers, String memory, String policy, String command) {
        var said = policy.isEmpty() ? "" : ",\"output_policy\":\"" + policy + "\"";
        return new Hostile(
                name,
                "{\"command\":" + command + said + ",\"on_disconnect\":\"continue\",\"limits\":{\"memory\":\"" + memory
                        + "\",\"disk\":\"16MiB\",\"output\":\"8MiB\",\"time\":",
                readers);
    }

    private static String shell(String script) {
        return "[\"sh\",\"-c\",\"" + script + "\"]";
    }

    private static String argv(Path program, String... arguments) {
        var words = new ArrayList<>(List.of(program.toString()));
        words.addAll(List.of(arguments));
        return "[\"" + String.join("\",\"", words) + "\"]";
    }

    /// Starts it on the server at `port`, to be ended by its limit of time if not before.
    Running start(int port, Path meter, Duration most) throws IOException, InterruptedException {
        var client = HttpClient.newHttpClient();
        var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/v1/run"))
                .header("Accept", "text/plain")
                .POST(BodyPublishers.ofString(body + most.toSeconds() + "}}"))
                .build();
        var answer = client.send(request, BodyHandlers.ofInputStream());
        answer.body().close();
        var path = answer.headers()
                .firstValue("Location")
                .orElseThrow(() -> new IOException(name + " does not start: " + answer.statusCode()));
        var slow = new ArrayList<Socket>();
        for (var reader = 0; reader < readers && readers > 1; reader++) {
            slow.add(attach(port, path));
        }
        var fast = readers == 1
                ? Optional.of(
                        new ProcessBuilder(meter.toString(), "drain", path + "/output?follow", String.valueOf(port))
                                .inheritIO()
                                .start())
                : Optional.<Process>empty();
        return new Running(client, URI.create("http://127.0.0.1:" + port + path), slow, fast);
    }

    private static Socket attach(int port, String path) throws IOException {
        var socket = new Socket(InetAddress.getLoopbackAddress(), port);
        var head = "GET " + path + "/output?follow HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/plain\r\n\r\n";
        socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    /// A hostile job under way. Closing it ends the job and its readers.
    record Running(HttpClient client, URI job, List<Socket> slow, Optional<Process> fast) implements AutoCloseable {

        /// What the job is said to be: its state, and once it has ended how.
        String state() throws IOException, InterruptedException {
            return client.send(HttpRequest.newBuilder(job).build(), BodyHandlers.ofString())
                    .body();
        }

        @Override
        public void close() throws IOException {
            var cancel = HttpRequest.newBuilder(URI.create(job + "/cancel"))
                    .POST(BodyPublishers.noBody())
                    .build();
            try {
                client.send(cancel, BodyHandlers.discarding());
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
            for (var socket : slow) {
                socket.close();
            }
            fast.ifPresent(Process::destroy);
            client.close();
        }
    }
}
