package dev.bobbin.ops.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The server's sandboxes as the command line sees them, each by its id or name.
final class SandboxClient implements AutoCloseable {
    private static final String JSON = "application/json";
    private static final String SANDBOXES = "/v1/sandboxes";

    private final HttpConnection connection;

    SandboxClient(HttpConnection connection) {
        this.connection = connection;
    }

    /// Makes one and starts it.
    Map<String, @Nullable Object> create(Map<String, ?> request) throws IOException {
        return Json.object(post(SANDBOXES, request));
    }

    /// Those that `conditions` let through, as the server describes them, oldest first.
    ///
    /// @param conditions parts of a query, such as `state=running`
    List<Map<?, ?>> list(List<String> conditions) throws IOException {
        var all = new ArrayList<Map<?, ?>>();
        var query = new ArrayList<>(conditions);
        while (true) {
            var path = SANDBOXES + "?" + String.join("&", query);
            var page = Json.object(connection.ask("GET", path, JSON).accepted().text());
            all.addAll(ImageClient.maps(page.get("items")));
            if (!(page.get("next_cursor") instanceof String cursor)) {
                return all;
            }
            query = new ArrayList<>(conditions);
            query.add("cursor=" + cursor);
        }
    }

    /// What the server says of one, as JSON; nothing if there is none.
    Optional<String> find(String name) throws IOException {
        var answer = connection.ask("GET", path(name), JSON);
        if (answer.status() == 404) {
            answer.text();
            return Optional.empty();
        }
        return Optional.of(answer.accepted().text());
    }

    /// Tells one to do something, and waits until that is done.
    ///
    /// @param what `start`, `stop`, `kill` or `restart`
    void tell(String name, String what, Map<String, ?> how) throws IOException {
        post(path(name) + "/" + what, how);
    }

    void rename(String name, String other) throws IOException {
        var body = Json.write(Map.of("name", other)).getBytes(StandardCharsets.UTF_8);
        connection.send("PATCH", path(name), JSON, JSON, body).accepted().text();
    }

    void remove(String name) throws IOException {
        connection.ask("DELETE", path(name), JSON).accepted().text();
    }

    /// What one uses.
    Map<String, @Nullable Object> stats(String name) throws IOException {
        return Json.object(
                connection.ask("GET", path(name) + "/stats", JSON).accepted().text());
    }

    /// Starts a command in one that nobody waits for, and gives the job's id.
    String exec(Map<String, ?> request) throws IOException {
        return String.valueOf(
                Json.object(post("/v1/jobs", Map.of("exec", request))).get("id"));
    }

    @Override
    public void close() {
        ImageClient.leave(connection);
    }

    private String post(String path, Map<String, ?> request) throws IOException {
        var body = Json.write(request).getBytes(StandardCharsets.UTF_8);
        return connection.post(path, JSON, JSON, body).accepted().text();
    }

    static String path(String name) {
        return SANDBOXES + "/" + ImageClient.encoded(name).replace("/", "%2F");
    }
}
