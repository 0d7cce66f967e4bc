package dev.bobbin.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.host.Leftovers;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What a server holds in memory while terminals show without end to viewers who read nothing, and while viewers type
/// without end into programs that read nothing.
@Timeout(180)
final class TerminalMemoryIT extends RootTests {
    private static final long MIB = 1L << 20;
    private static final int VIEWERS = 100;

    /// Allowed is what [ServerMemoryIT] allows: half as much again, and 512 KiB for each viewer.
    @Test
    void staysFlatWhateverViewersDoNot() throws Exception {
        var leftovers = Leftovers.of(directory.resolve("run"));
        try (var server = RealServer.start(directory, RealServer.command(directory, "--pool", "2"))) {
            torment(server, 4, 2);
            var before = server.memory("RssAnon");
            var most = torment(server, VIEWERS, 8);
            System.out.printf("TerminalMemoryIT: MiB before and at most: RssAnon %d, %d%n", before / MIB, most / MIB);
            assertThat(most).isPositive().isLessThan(before + before / 2 + VIEWERS * (MIB / 2));
        }
        leftovers.assertNothingMore();
    }

    /// The most memory that the server had meanwhile.
    private static long torment(RealServer server, int viewers, int seconds) throws Exception {
        var sockets = new ArrayList<Socket>();
        var floods = new ArrayList<Thread>();
        var shows = start(server, "stty raw; yes", sockets);
        var deaf = start(server, "stty raw; sleep 1000", sockets);
        var most = 0L;
        try {
            for (var viewer = 0; viewer < viewers; viewer++) {
                sockets.add(attach(server, shows, viewer % 2 == 0));
                if (viewer % 4 == 0) {
                    var typist = attach(server, deaf, false);
                    sockets.add(typist);
                    floods.add(Thread.ofVirtual().start(() -> flood(typist)));
                }
            }
            for (var left = seconds * 20; left > 0; left--) {
                most = Math.max(most, server.memory("RssAnon"));
                TimeUnit.MILLISECONDS.sleep(50);
            }
            assertThat(floods).as("nobody takes what they type").allMatch(Thread::isAlive);
        } finally {
            for (var job : List.of(shows, deaf)) {
                server.cancel(job);
            }
            for (var socket : sockets) {
                socket.close();
            }
        }
        for (var flood : floods) {
            flood.join();
        }
        return most;
    }

    private static void flood(Socket typist) {
        try {
            var keys = "x".repeat(1 << 16).getBytes(StandardCharsets.US_ASCII);
            while (!Thread.interrupted()) {
                typist.getOutputStream().write(keys);
            }
        } catch (IOException _) {
            // the job has ended
        }
    }

    /// A run that goes on without its caller; gives the path of its job.
    private static String start(RealServer server, String script, List<Socket> sockets) throws IOException {
        var body = "{\"command\":[\"sh\",\"-c\",\"" + script + "\"],\"terminal\":{},\"on_disconnect\":\"continue\","
                + "\"limits\":{\"output\":\"8MiB\",\"memory\":\"64MiB\",\"time\":120}}";
        var socket = send(server, "POST /v1/run", "tcp", "Content-Length: " + body.length() + "\r\n\r\n" + body);
        sockets.add(socket);
        var head = head(socket);
        assertThat(head).startsWith("HTTP/1.1 101 ");
        return head.replaceFirst("(?s).*Location: ([^\r]+)\r.*", "$1");
    }

    private static Socket attach(RealServer server, String job, boolean webSocket) throws IOException {
        var key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        return send(server, "GET " + job + "/terminal", webSocket ? "websocket" : "tcp", webSocket ? key : "\r\n");
    }

    private static Socket send(RealServer server, String request, String protocol, String rest) throws IOException {
        var socket = new Socket(InetAddress.getLoopbackAddress(), server.port);
        var head =
                request + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: " + protocol + "\r\n" + rest;
        socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    private static String head(Socket socket) throws IOException {
        var head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            head.append((char) socket.getInputStream().read());
        }
        return head.toString();
    }
}
