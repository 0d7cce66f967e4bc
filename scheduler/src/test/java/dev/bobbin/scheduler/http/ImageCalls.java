package dev.bobbin.scheduler.http;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// A caller of the routes for images, with a token or without.
public final class ImageCalls implements AutoCloseable {
    private final HttpClient client = HttpClient.newHttpClient();
    private final String base;
    private final String token;

    public ImageCalls(TestServer server, String token) {
        this.base = "http://127.0.0.1:" + server.http.port();
        this.token = token;
    }

    public HttpResponse<String> get(String path, String... headers) throws Exception {
        return send("GET", path, BodyPublishers.noBody(), headers);
    }

    public HttpResponse<String> delete(String path) throws Exception {
        return send("DELETE", path, BodyPublishers.noBody());
    }

    public HttpResponse<String> post(String path, String body, String... headers) throws Exception {
        return send("POST", path, BodyPublishers.ofString(body), headers);
    }

    /// The frames of an NDJSON answer.
    public List<String> frames(String path, String body) throws Exception {
        var answer = post(path, body, "Accept", "application/x-ndjson");
        if (answer.statusCode() != 200) {
            throw new IOException(answer.statusCode() + " " + answer.body());
        }
        return answer.body().lines().toList();
    }

    public HttpResponse<String> load(Path archive, String query) throws Exception {
        return send("POST", "/v1/images/load" + query, BodyPublishers.ofFile(archive));
    }

    public Path save(String query, Path file) throws Exception {
        var request = request("/v1/images/save?" + query).build();
        var answer = client.send(request, BodyHandlers.ofFile(file));
        if (answer.statusCode() != 200) {
            throw new IOException("saving was answered " + answer.statusCode());
        }
        return file;
    }

    private HttpResponse<String> send(String method, String path, HttpRequest.BodyPublisher body, String... headers)
            throws Exception {
        var request = request(path).method(method, body);
        for (var index = 0; index < headers.length; index += 2) {
            request.header(headers[index], headers[index + 1]);
        }
        return client.send(request.build(), BodyHandlers.ofString());
    }

    private HttpRequest.Builder request(String path) {
        var request = HttpRequest.newBuilder(URI.create(base + path));
        Stream.of(token).filter(text -> !text.isEmpty()).forEach(text -> request.header("X-API-Key", text));
        return request;
    }

    @Override
    public void close() {
        client.close();
    }
}
