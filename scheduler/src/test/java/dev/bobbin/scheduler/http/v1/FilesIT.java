package dev.bobbin.scheduler.http.v1;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.scheduler.http.RawClient;
import dev.bobbin.scheduler.http.ServedTests;
import dev.bobbin.scheduler.http.TestServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// `/v1/sandboxes/{id}/files/…` of one sandbox.
@Timeout(60)
final class FilesIT extends ServedTests {
    private static final String FILES = "/v1/sandboxes/box/files";

    @BeforeAll
    void prepare() throws IOException {
        var body = "{\"name\":\"box\",\"limits\":{\"disk\":\"8MiB\"}}";
        assertThat(server.post("/v1/sandboxes", body).status()).isEqualTo(201);
    }

    @AfterAll
    void close() throws IOException {
        server.delete("/v1/sandboxes/box");
    }

    private RawClient.Answer put(String path, String content) throws IOException {
        try (var client = server.client()) {
            var length = content.getBytes(StandardCharsets.ISO_8859_1).length;
            client.send(TestServer.head("PUT", FILES + path) + "Content-Length: " + length + "\r\n\r\n" + content);
            return client.answer();
        }
    }

    private String sh(String script) throws IOException {
        return server.post("/v1/exec", "{\"sandbox\":\"box\",\"command\":[\"sh\",\"-c\",\"" + script + "\"]}")
                .text();
    }

    @Test
    void writesReadsListsAndDeletes() throws IOException {
        assertThat(put("/tree/deep/file.txt?mode=0600", "content\n").status()).isEqualTo(204);
        assertThat(put("/tree/empty%20name", "").status()).isEqualTo(204);
        assertThat(put("/tree/sub?directory&mode=0700", "").status()).isEqualTo(204);

        assertThat(sh("cat /tree/deep/file.txt; stat -c %a /tree/deep/file.txt /tree/sub"))
                .contains("\"stdout\":\"content\\n600\\n700\\n\"");
        var read = server.get(FILES + "/tree/deep/file.txt");
        assertThat(read.text()).isEqualTo("content\n");
        assertThat(read.headers()).containsEntry("content-type", "application/octet-stream");
        assertThat(server.get(FILES + "/tree/deep/file.txt?from=3&count=2").text())
                .isEqualTo("te");
        assertThat(server.get(FILES + "/tree/empty%20name").body()).isEmpty();
        assertThat(server.get(FILES + "/tree").text())
                .startsWith("{\"items\":[{\"name\":\"deep\",\"kind\":\"directory\"")
                .contains(
                        "{\"name\":\"empty name\",\"kind\":\"file\",\"mode\":\"0644\",\"uid\":0,\"gid\":0,\"size\":0");
        assertThat(server.get(FILES + "/tree/deep/file.txt?stat").text()).contains("\"size\":8", "\"mode\":\"0600\"");
        assertThat(server.get(FILES + "/").text()).contains("\"name\":\"usr\"");
        assertThat(server.delete(FILES + "/tree").text()).contains("\"code\":\"not_empty\"");
        assertThat(server.delete(FILES + "/tree?recursive").status()).isEqualTo(204);
        assertThat(server.get(FILES + "/tree").text()).contains("\"status\":404", "\"code\":\"file_not_found\"");
    }

    @Test
    void carriesTreesAsTar() throws Exception {
        sh("mkdir -p /from/a; echo one >/from/a/1; ln -s a/1 /from/link");

        var archive = server.get(FILES + "/from?tar");

        assertThat(archive.headers()).containsEntry("content-type", "application/x-tar");
        put("/to?directory", "");
        try (var client = server.client()) {
            client.send(TestServer.head("PUT", FILES + "/to?tar") + "Content-Length: " + archive.body().length
                    + "\r\n\r\n");
            client.socket.getOutputStream().write(archive.body());
            assertThat(client.answer().status()).isEqualTo(204);
        }
        assertThat(sh("cd /to; find . -name link -exec cat {} +; find . -name 1"))
                .contains("one\\n", "/a/1\\n");
        assertThat(put("/to?tar", "this is no archive, whatever it says").text())
                .contains("\"status\":400", "\"field\":\"path\"");
    }

    @Test
    void staysBeneathItsRoot() throws IOException {
        var outside = Files.createTempFile("bobbin-outside", "");
        sh("ln -s / /root/up; ln -s /etc/hostname /root/name; ln -s ../../../../../etc /root/climb");

        var inside = server.get(FILES + "/etc/hostname").text();
        assertThat(server.get(FILES + "/root/up/etc/hostname").text()).isEqualTo(inside);
        assertThat(server.get(FILES + "/root/name").text()).isEqualTo(inside);
        assertThat(server.get(FILES + "/root/climb/hostname").text()).isEqualTo(inside);
        try {
            for (var way : List.of("", "/root/up", "/root/climb/..", "/root/%2e%2e/%2e%2e", "/../../../../..")) {
                assertThat(server.get(FILES + way + outside).status()).as(way).isEqualTo(404);
            }
            assertThat(put("/root/climb/../.." + outside, "in").status()).isEqualTo(204);
            assertThat(outside).isEmptyFile();
        } finally {
            Files.delete(outside);
        }
    }

    @Test
    void refusesWhatDoesNotFit() throws IOException {
        try (var client = server.client()) {
            client.send(TestServer.head("PUT", FILES + "/big", "Expect: 100-continue", "Content-Length: 1073741824")
                    + "\r\n");
            var answer = client.answer();
            assertThat(answer.status()).isEqualTo(413);
            assertThat(answer.text()).contains("\"field\":\"limits.disk\"");
        }
        assertThat(server.get(FILES + "/big").status()).isEqualTo(404);
        assertThat(put("/x?mode=9", "").text()).contains("\"field\":\"mode\"");
        assertThat(server.get(FILES + "/etc/hostname?from=-1").text()).contains("\"field\":\"from\"");
        assertThat(put("/etc/hostname/x", "").text()).contains("\"status\":409", "\"code\":\"not_a_directory\"");
        assertThat(server.get("/v1/sandboxes/nobody/files/etc").status()).isEqualTo(404);
    }
}
