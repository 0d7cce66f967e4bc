package dev.bobbin.ops.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// The server's volumes as the command line sees them, each by its name or id.
final class VolumeClient implements AutoCloseable {
    private static final String JSON = "application/json";
    private static final String VOLUMES = "/v1/volumes";

    private final HttpConnection connection;

    VolumeClient(HttpConnection connection) {
        this.connection = connection;
    }

    void create(Map<String, ?> request) throws IOException {
        post(VOLUMES, Json.write(request));
    }

    /// All of them, as the server describes them, oldest first.
    List<Map<?, ?>> list() throws IOException {
        var all = new ArrayList<Map<?, ?>>();
        var path = VOLUMES;
        while (true) {
            var page = Json.object(connection.ask("GET", path, JSON).accepted().text());
            all.addAll(ImageClient.maps(page.get("items")));
            if (!(page.get("next_cursor") instanceof String cursor)) {
                return all;
            }
            path = VOLUMES + "?cursor=" + cursor;
        }
    }

    /// What the server says of one, as JSON.
    String inspect(String name) throws IOException {
        return connection.ask("GET", path(name), JSON).accepted().text();
    }

    void remove(String name) throws IOException {
        connection.ask("DELETE", path(name), JSON).accepted().text();
    }

    /// Removes those that nobody uses, and gives their names.
    List<?> prune() throws IOException {
        return Json.object(post(VOLUMES + "/prune", "")).get("removed") instanceof List<?> names ? names : List.of();
    }

    @Override
    public void close() {
        ImageClient.leave(connection);
    }

    private String post(String path, String body) throws IOException {
        return connection
                .post(path, JSON, JSON, body.getBytes(StandardCharsets.UTF_8))
                .accepted()
                .text();
    }

    private static String path(String name) {
        return VOLUMES + "/" + ImageClient.encoded(name).replace("/", "%2F");
    }
}
