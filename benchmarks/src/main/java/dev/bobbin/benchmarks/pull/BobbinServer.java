package dev.bobbin.benchmarks.pull;

import dev.bobbin.benchmarks.compare.Scratch;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Pattern;

/// A server of Bobbin, asked over HTTP.
final class BobbinServer implements Puller, AutoCloseable {
    private static final Pattern LENGTH = Pattern.compile("(?i)content-length: (\\d+)");

    private final int port;
    private final Path store;
    private final HttpClient client = HttpClient.newHttpClient();

    BobbinServer(Path source, Scratch scratch) throws IOException, InterruptedException {
        this.port = scratch.bobbin(source, "bobbin", 4);
        this.store = scratch.directory().resolve("bobbin/data/images");
    }

    @Override
    public String name() {
        return "Bobbin";
    }

    @Override
    public void pull(String image) throws IOException, InterruptedException {
        ask("POST", "/v1/images/pull", "{\"image\":\"" + image + "\"}");
    }

    /// Runs the image's own command first.
    @Override
    public void forget(String image) throws IOException, InterruptedException {
        run(image);
        ask("DELETE", "/v1/images/" + image, "");
        while (hasLeftovers()) {
            Thread.sleep(Duration.ofMillis(20));
        }
    }

    private boolean hasLeftovers() throws IOException {
        try (var left = Files.list(store.resolve("aside"))) {
            return left.findAny().isPresent();
        }
    }

    void run(String image) throws IOException, InterruptedException {
        var answer = ask("POST", "/v1/run", job(image));
        if (!answer.contains("\"exit_code\":0")) {
            throw new IOException("the image does not run: " + answer);
        }
    }

    private String ask(String method, String path, String body) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .method(method, BodyPublishers.ofString(body))
                .build();
        var answer = client.send(request, BodyHandlers.ofString());
        if (answer.statusCode() / 100 != 2) {
            throw new IOException(method + " " + path + ": " + answer.statusCode() + " " + answer.body());
        }
        return answer.body();
    }

    /// A connection over which jobs are started one after the other.
    Jobs jobs() throws IOException {
        return new Jobs(new Socket(InetAddress.getLoopbackAddress(), port));
    }

    private static String job(String image) {
        return "{\"image\":\"" + image + "\",\"pull\":\"never\"}";
    }

    @Override
    public void close() {
        client.close();
    }

    /// Jobs over one kept-alive connection.
    static final class Jobs implements AutoCloseable {
        private final Socket socket;

        private Jobs(Socket socket) throws IOException {
            this.socket = socket;
            socket.setTcpNoDelay(true);
        }

        /// The time until the whole answer was here, in nanoseconds.
        long time(String image) throws IOException {
            var body = job(image);
            var request =
                    "POST /v1/run HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
            var begin = System.nanoTime();
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            var answer = new StringBuilder();
            var piece = new byte[8192];
            while (!isWhole(answer)) {
                var count = socket.getInputStream().read(piece);
                if (count < 0) {
                    throw new IOException("the server closed the connection");
                }
                answer.append(new String(piece, 0, count, StandardCharsets.UTF_8));
            }
            var time = System.nanoTime() - begin;
            if (answer.indexOf("\"exit_code\":0") < 0) {
                throw new IOException("the job failed: " + answer);
            }
            return time;
        }

        private static boolean isWhole(StringBuilder answer) {
            var head = answer.indexOf("\r\n\r\n");
            var length = LENGTH.matcher(answer);
            return head >= 0 && length.find() && answer.length() >= head + 4 + Integer.parseInt(length.group(1));
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
