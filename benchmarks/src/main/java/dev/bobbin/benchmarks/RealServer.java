package dev.bobbin.benchmarks;

import dev.bobbin.scheduler.admission.Admission;
import dev.bobbin.scheduler.admission.AdmissionConfig;
import dev.bobbin.scheduler.cluster.SingleHostCluster;
import dev.bobbin.scheduler.dispatch.Dispatcher;
import dev.bobbin.scheduler.dispatch.ImageDirectory;
import dev.bobbin.scheduler.dispatch.PublishConfig;
import dev.bobbin.scheduler.http.HttpConfig;
import dev.bobbin.scheduler.http.HttpServer;
import dev.bobbin.scheduler.http.Listen;
import dev.bobbin.scheduler.placement.HostId;
import dev.bobbin.scheduler.tenant.Callers;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/// A real host behind a real server, and one client whose connection stays open; closing it leaves nothing.
final class RealServer implements AutoCloseable {
    private final RealHost host;
    private final Dispatcher dispatcher;
    private final HttpServer server;
    private final Socket socket;
    private final DataInputStream in;

    RealServer(int pool) throws IOException {
        host = new RealHost(pool);
        var cluster = new SingleHostCluster(new HostId("benchmark"), host.runtime);
        dispatcher = new Dispatcher(
                new Admission(AdmissionConfig.DEFAULT, host.runtime.capacity()),
                cluster,
                host.runtime,
                PublishConfig.LOOPBACK,
                host.meters);
        server = new HttpServer(
                new HttpConfig(List.of(new Listen.Tcp("127.0.0.1", 0)), List.of(), List.of()),
                dispatcher,
                dispatcher.sandboxes(),
                new ImageDirectory(host.images),
                new Callers(List.of()),
                List.of());
        server.start();
        socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
        socket.setTcpNoDelay(true);
        in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
    }

    /// A request as it goes over the wire.
    static byte[] request(String method, String path, String body) {
        return (method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: " + body.length() + "\r\n\r\n"
                        + body)
                .getBytes(StandardCharsets.US_ASCII);
    }

    /// Sends a request and gives the body of its answer, which must be well.
    byte[] exchange(byte[] request) throws IOException {
        socket.getOutputStream().write(request);
        var length = 0;
        var status = line();
        for (var header = line(); !header.isEmpty(); header = line()) {
            if (header.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
                length = Integer.parseInt(
                        header.substring("content-length:".length()).strip());
            }
        }
        var answer = in.readNBytes(length);
        if (!status.contains(" 20")) {
            throw new IOException(status + " " + new String(answer, StandardCharsets.UTF_8));
        }
        return answer;
    }

    private String line() throws IOException {
        var line = new StringBuilder();
        for (var each = in.readByte(); each != '\n'; each = in.readByte()) {
            if (each != '\r') {
                line.append((char) each);
            }
        }
        return line.toString();
    }

    @Override
    public void close() throws IOException {
        socket.close();
        server.close();
        dispatcher.close();
        host.close();
    }
}
