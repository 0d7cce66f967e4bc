package dev.bobbin.scheduler.http.v1;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.scheduler.http.TestServer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// `GET /v1/jobs`.
@Timeout(60)
final class JobListIT {
    private static final Pattern ID = Pattern.compile("\\{\"id\":\"([^\"]+)\",\"kind\"");

    private static String start(TestServer server, String command, String label) throws IOException {
        var body = "{\"run\":{\"command\":[" + command + "],\"labels\":{\"number\":\"" + label + "\",\"all\":\"\"}}}";
        var answer = server.post("/v1/jobs", body);
        assertThat(answer.status()).as(answer.text()).isEqualTo(202);
        return String.valueOf(answer.headers().get("bobbin-job-id"));
    }

    private static List<String> list(TestServer server, String query) throws IOException {
        var answer = server.get("/v1/jobs" + query);
        assertThat(answer.status()).as(answer.text()).isEqualTo(200);
        var ids = new ArrayList<String>();
        for (var found = ID.matcher(answer.text()); found.find(); ) {
            ids.add(found.group(1));
        }
        return ids;
    }

    @Test
    void tellsThoseThatAreAskedForTheNewestFirst() throws IOException {
        try (var server = TestServer.open()) {
            assertThat(server.get("/v1/jobs").text()).isEqualTo("{\"items\":[],\"next_cursor\":null}");
            var one = start(server, "\"true\"", "1");
            server.get("/v1/jobs/" + one + "?wait=10s");
            var two = start(server, "\"sleep\",\"64\"", "2");
            server.post("/v1/sandboxes", "{\"name\":\"box\",\"command\":[\"sleep\",\"65\"]}");
            var exec = server.post("/v1/exec", "{\"sandbox\":\"box\",\"command\":[\"true\"]}")
                    .headers()
                    .get("bobbin-job-id");
            server.get("/v1/sandboxes/box/files/?stat");

            assertThat(list(server, "")).containsExactly(exec, two, one);
            assertThat(list(server, "?state=running")).containsExactly(two);
            assertThat(list(server, "?state=ended")).containsExactly(exec, one);
            assertThat(list(server, "?state=ended&state=running")).containsExactly(exec, two, one);
            assertThat(list(server, "?label=number")).containsExactly(two, one);
            assertThat(list(server, "?label=number=1&label=all")).containsExactly(one);
            assertThat(list(server, "?label=number=3")).isEmpty();
            assertThat(server.get("/v1/jobs?state=running").text())
                    .contains("\"labels\":{\"number\":\"2\"", "\"command\":[\"sleep\",\"64\"]");

            server.post("/v1/jobs/" + two + "/cancel", "");
            server.get("/v1/jobs/" + two + "?wait=10s");
            assertThat(list(server, "?state=running")).isEmpty();
        }
    }

    @Test
    void comesInPages() throws IOException {
        try (var server = TestServer.open()) {
            var ids = new ArrayList<String>();
            for (var job = 0; job < 5; job++) {
                ids.addFirst(start(server, "\"true\"", Integer.toString(job)));
            }
            assertThat(list(server, "?limit=2")).isEqualTo(ids.subList(0, 2));
            assertThat(server.get("/v1/jobs?limit=2").text()).contains("\"next_cursor\":\"" + ids.get(1) + "\"");
            assertThat(list(server, "?limit=2&cursor=" + ids.get(1))).isEqualTo(ids.subList(2, 4));
            assertThat(list(server, "?limit=2&cursor=" + ids.get(3))).isEqualTo(ids.subList(4, 5));
            assertThat(server.get("/v1/jobs?limit=2&cursor=" + ids.get(3)).text())
                    .contains("\"next_cursor\":null");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "state=waiting,state",
        "limit=0,limit",
        "limit=x,limit",
        "cursor=x,cursor",
        "label=,label",
        "label==x,label"
    })
    void refusesWhatCannotBe(String query, String field) throws IOException {
        try (var server = TestServer.open()) {
            assertThat(server.get("/v1/jobs?" + query).text())
                    .contains("\"status\":400", "\"field\":\"" + field + "\"");
        }
    }
}
