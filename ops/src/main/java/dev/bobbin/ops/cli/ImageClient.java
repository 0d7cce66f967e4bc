package dev.bobbin.ops.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The server's images as the command line sees them.
final class ImageClient implements AutoCloseable {
    private static final String JSON = "application/json";
    private static final String NDJSON = "application/x-ndjson";
    private static final String TAR = "application/x-tar";

    private final HttpConnection connection;

    ImageClient(HttpConnection connection) {
        this.connection = connection;
    }

    /// The sandboxes of the same server.
    SandboxClient sandboxes() {
        return new SandboxClient(connection);
    }

    /// All images, as the server describes them.
    List<Map<?, ?>> list() throws IOException {
        var all = new ArrayList<Map<?, ?>>();
        var path = "/v1/images";
        while (true) {
            var page = Json.object(connection.ask("GET", path, JSON).accepted().text());
            all.addAll(maps(page.get("items")));
            if (!(page.get("next_cursor") instanceof String cursor)) {
                return all;
            }
            path = "/v1/images?cursor=" + encoded(cursor);
        }
    }

    /// One image, as JSON.
    String inspect(String name) throws IOException {
        return connection.ask("GET", path(name), JSON).accepted().text();
    }

    Map<?, ?> pull(Map<String, ?> request, TransferDisplay display) throws IOException {
        return transfer("/v1/images/pull", request, display);
    }

    Map<?, ?> push(Map<String, ?> request, TransferDisplay display) throws IOException {
        return transfer("/v1/images/push", request, display);
    }

    /// An archive of images, to be read to its end.
    InputStream saved(List<String> names, String format) throws IOException {
        var path = new StringBuilder("/v1/images/save?format=" + encoded(format));
        names.forEach(name -> path.append("&name=").append(encoded(name)));
        return connection.ask("GET", path.toString(), TAR).accepted().body();
    }

    /// What an archive held.
    List<Map<?, ?>> load(InputStream archive, boolean shared) throws IOException {
        var path = "/v1/images/load" + (shared ? "?shared" : "");
        return maps(
                Json.object(connection.post(path, TAR, JSON, archive).accepted().text())
                        .get("items"));
    }

    void tag(Map<String, ?> request) throws IOException {
        post("/v1/images/tag", request);
    }

    void remove(String name, boolean shared) throws IOException {
        connection
                .ask("DELETE", path(name) + (shared ? "?shared" : ""), JSON)
                .accepted()
                .text();
    }

    Map<String, @Nullable Object> prune(Map<String, ?> request) throws IOException {
        return post("/v1/images/prune", request);
    }

    @Override
    public void close() {
        leave(connection);
    }

    static void leave(HttpConnection connection) {
        try {
            connection.close();
        } catch (IOException _) {
            // nothing is expected of this connection any more
        }
    }

    private Map<?, ?> transfer(String path, Map<String, ?> request, TransferDisplay display) throws IOException {
        var body = Json.write(request).getBytes(StandardCharsets.UTF_8);
        var answer = connection.post(path, JSON, NDJSON, body).accepted();
        var lines = new BufferedReader(new InputStreamReader(answer.body(), StandardCharsets.UTF_8));
        try (display) {
            for (var line = lines.readLine(); line != null; line = lines.readLine()) {
                var frame = Json.object(line);
                if ("progress".equals(frame.get("type"))) {
                    display.show(frame);
                } else if ("ended".equals(frame.get("type"))) {
                    if (frame.get("image") instanceof Map<?, ?> image) {
                        return image;
                    }
                    throw new RefusedException(String.valueOf(frame.get("detail")));
                }
            }
        }
        throw new IOException("the server closed the connection before the end");
    }

    private Map<String, @Nullable Object> post(String path, Map<String, ?> request) throws IOException {
        var body = Json.write(request).getBytes(StandardCharsets.UTF_8);
        return Json.object(connection.post(path, JSON, JSON, body).accepted().text());
    }

    static List<Map<?, ?>> maps(@Nullable Object list) {
        var maps = new ArrayList<Map<?, ?>>();
        if (list instanceof List<?> elements) {
            for (var element : elements) {
                if (element instanceof Map<?, ?> map) {
                    maps.add(map);
                }
            }
        }
        return maps;
    }

    /// `save` alone is a path of its own.
    private static String path(String name) {
        return "/v1/images/" + encoded(name.equals("save") ? "save:latest" : name);
    }

    static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8)
                .replace("+", "%20")
                .replace("%2F", "/")
                .replace("%3A", ":")
                .replace("%40", "@");
    }
}
