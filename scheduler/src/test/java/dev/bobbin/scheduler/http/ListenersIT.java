package dev.bobbin.scheduler.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.scheduler.tenant.Callers;
import dev.bobbin.scheduler.tenant.Scope;
import dev.bobbin.scheduler.tenant.Tenant;
import dev.bobbin.scheduler.tenant.Token;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Who may listen where, and what a Unix socket is for.
final class ListenersIT {
    @TempDir
    private Path directory = Path.of("/");

    @Test
    void servesAUnixSocketThatOnlyItsOwnerMayOpenAndNoOneTwice() throws IOException {
        var path = directory.resolve("api.sock");
        Files.createFile(path);
        var token = Token.of("t", "secret", Tenant.DEFAULT, Set.of(Scope.READ));
        try (var server = TestServer.listening(
                List.of(Listen.parse("unix:" + path), Listen.parse("127.0.0.1:0")), new Callers(List.of(token)))) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                    .isEqualTo("rw-------");
            try (var files = Files.list(directory)) {
                assertThat(files).containsExactly(path);
            }
            var answer = overUnix(
                    path,
                    TestServer.request("/v1/run", "{\"command\":[\"true\"]}", "Host: anything", "Connection: close"));
            assertThat(answer).startsWith("HTTP/1.1 200 OK").contains("\"cause\":\"exited\"");
            assertThat(server.post("/v1/run", "{}").status()).isEqualTo(401);
            assertThat(server.post("/v1/run", "{}", "X-API-Key: secret").status())
                    .isEqualTo(403);
            assertThatThrownBy(() -> second(server, "unix:" + path, Callers.anybody()))
                    .hasMessageContaining("listen on unix:" + path);
            assertThatThrownBy(() -> second(server, "0.0.0.0:0", Callers.anybody()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("listen: 0.0.0.0:0 can be reached from other machines");
        }
        assertThat(path).doesNotExist();
    }

    private static HttpServer second(TestServer server, String listen, Callers callers) {
        var config = new HttpConfig(List.of(Listen.parse(listen)), List.of(), List.of());
        return new HttpServer(config, server.dispatcher, server.images, callers, List.of());
    }

    private static String overUnix(Path path, String request) throws IOException {
        try (var channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.connect(UnixDomainSocketAddress.of(path));
            channel.write(ByteBuffer.wrap(request.getBytes(StandardCharsets.UTF_8)));
            var answer = ByteBuffer.allocate(64 * 1024);
            while (channel.read(answer) >= 0) {
                // until the server closes
            }
            return new String(answer.array(), 0, answer.position(), StandardCharsets.UTF_8);
        }
    }
}
