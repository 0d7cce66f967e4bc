package dev.bobbin.scheduler.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Requests of which a proxy before us and we could think that they end at different places. Each is followed by
/// another that must never be answered.
@Timeout(60)
final class SmugglingIT extends ServedTests {
    private static final String HIDDEN = "GET /openly-not-there HTTP/1.1\r\nHost: localhost\r\n\r\n";
    private static final Pattern STATUS = Pattern.compile("HTTP/1\\.1 (\\d{3}) ");

    static Stream<Arguments> ambiguous() {
        return Stream.of(
                Arguments.of("length and chunks", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                Arguments.of("chunks and length", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"),
                Arguments.of("two lengths", "Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}"),
                Arguments.of("two equal lengths", "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"),
                Arguments.of("lengths in one", "Content-Length: 2, 2\r\n\r\n{}"),
                Arguments.of("a signed length", "Content-Length: +2\r\n\r\n{}"),
                Arguments.of("a negative length", "Content-Length: -2\r\n\r\n{}"),
                Arguments.of("a hexadecimal length", "Content-Length: 0x2\r\n\r\n{}"),
                Arguments.of("an endless length", "Content-Length: 99999999999999999999\r\n\r\n{}"),
                Arguments.of("an unknown encoding", "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
                Arguments.of("chunked not last", "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
                Arguments.of(
                        "encoded twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"),
                Arguments.of("an encoding after a tab", "Transfer-Encoding:\tidentity, chunked\r\n\r\n0\r\n\r\n"),
                Arguments.of("a space before the colon", "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
                Arguments.of("a folded header", "X-A: b\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                Arguments.of("a header without a colon", "nonsense\r\n\r\n"),
                Arguments.of("an empty name", ": chunked\r\n\r\n"),
                Arguments.of("a lone line feed", "X-A: b\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                Arguments.of("a lone carriage return", "X-A: b\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                Arguments.of("a NUL", "X-A: b\0c\r\n\r\n"),
                Arguments.of("two hosts", "Host: localhost\r\n\r\n"),
                Arguments.of("a negative chunk", "Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n"),
                Arguments.of("a chunk in C", "Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n"),
                Arguments.of(
                        "an endless chunk", "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n"),
                Arguments.of(
                        "a chunk past a gibibyte", "Transfer-Encoding: chunked\r\n\r\n7FFFFFFF\r\n{}\r\n0\r\n\r\n"),
                Arguments.of("a chunk that ends late", "Transfer-Encoding: chunked\r\n\r\n2\r\n{}xx\r\n0\r\n\r\n"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void ambiguous(String name, String rest) throws IOException {
        var head = "POST /v1/run HTTP/1.1\r\nHost: localhost\r\n";

        var statuses = statuses(head + rest + HIDDEN);

        assertThat(statuses)
                .as(name)
                .hasSizeLessThanOrEqualTo(1)
                .allMatch(status -> status.equals("400") || status.equals("501"));
    }

    @Test
    void takesOrdinaryRequestsInARow() throws IOException {
        var body = "{\"command\":[]}";
        var chunked = "POST /v1/run HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                + Integer.toHexString(body.length()) + "\r\n" + body + "\r\n0\r\n\r\n";
        var plain = TestServer.request("/v1/run", body);

        assertThat(statuses(chunked + plain + HIDDEN)).containsExactly("400", "400", "404");
    }

    @Test
    void boundsHeads() throws IOException {
        var many = "X-A: b\r\n".repeat(10_000);
        assertThat(statuses("GET /health HTTP/1.1\r\nHost: localhost\r\n" + many + "\r\n" + HIDDEN))
                .isEqualTo(java.util.List.of("400"));
        assertThat(statuses("GET /health HTTP/1.1\r\nHost: localhost\r\nX-A: " + "b".repeat(100_000) + "\r\n\r\n"))
                .isEqualTo(java.util.List.of("400"));
        assertThat(statuses("GET /" + "b".repeat(100_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n"))
                .isEqualTo(java.util.List.of("414"));
    }

    /// The status of each answer until the server closes, or says no more for a while.
    private java.util.List<String> statuses(String requests) throws IOException {
        try (var client = server.client()) {
            client.socket.setSoTimeout(1500);
            var answer = new ByteArrayOutputStream();
            try {
                client.send(requests);
                var in = client.socket.getInputStream();
                var buffer = new byte[8192];
                for (var count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                    answer.write(buffer, 0, count);
                }
            } catch (SocketTimeoutException | java.net.SocketException _) {
                // what came is what counts
            }
            return STATUS.matcher(answer.toString(StandardCharsets.ISO_8859_1))
                    .results()
                    .map(match -> match.group(1))
                    .toList();
        }
    }
}
