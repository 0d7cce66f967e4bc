package dev.bobbin.scheduler.http;

import dev.bobbin.image.ImageReference;
import dev.bobbin.runner.host.TestHost;
import dev.bobbin.runner.net.NetworkConfig;
import dev.bobbin.runner.volume.BindConfig;
import dev.bobbin.scheduler.admission.Admission;
import dev.bobbin.scheduler.admission.AdmissionConfig;
import dev.bobbin.scheduler.cluster.SingleHostCluster;
import dev.bobbin.scheduler.dispatch.Dispatcher;
import dev.bobbin.scheduler.dispatch.ImageDirectory;
import dev.bobbin.scheduler.dispatch.PublishConfig;
import dev.bobbin.scheduler.dispatch.SandboxDirectory;
import dev.bobbin.scheduler.placement.HostId;
import dev.bobbin.scheduler.tenant.Callers;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;

/// A real server on a free port over a real host.
public final class TestServer implements AutoCloseable {
    public final TestHost host;
    public final Dispatcher dispatcher;
    public final SandboxDirectory sandboxes;
    public final ImageDirectory images;
    public final HttpServer http;

    /// How long a terminal's client may take nothing.
    public static final Duration STALLED = Duration.ofSeconds(2);

    private TestServer(AdmissionConfig admission, Callers callers, List<Listen> listen, TestHost host)
            throws IOException {
        this(admission, callers, listen, host, Duration.ofSeconds(1));
    }

    private TestServer(AdmissionConfig admission, Callers callers, List<Listen> listen, TestHost host, Duration grace)
            throws IOException {
        this.host = host;
        var cluster = new SingleHostCluster(new HostId("here"), host.runtime());
        dispatcher = new Dispatcher(
                new Admission(admission, host.runtime().capacity()),
                cluster,
                host.runtime(),
                PublishConfig.LOOPBACK,
                host.meters);
        sandboxes = dispatcher.sandboxes();
        try {
            images = new ImageDirectory(host.images());
            var config = new HttpConfig(
                    listen, List.of(), List.of(), ImageReference.HOST, grace, STALLED, HttpConfig.USUALLY_SHARED);
            http = new HttpServer(config, dispatcher, sandboxes, images, callers, List.of());
            http.start();
        } catch (RuntimeException e) {
            dispatcher.close();
            host.close();
            throw e;
        }
    }

    public static TestServer open() throws IOException {
        return open(AdmissionConfig.DEFAULT, Callers.anybody());
    }

    public static TestServer open(AdmissionConfig admission, Callers callers) throws IOException {
        return open(admission, callers, BindConfig.NONE);
    }

    /// One whose stop waits so long for answers on their way.
    public static TestServer open(Duration grace) throws IOException {
        return new TestServer(
                AdmissionConfig.DEFAULT,
                Callers.anybody(),
                List.of(Listen.parse("127.0.0.1:0")),
                TestHost.open(2, BindConfig.NONE),
                grace);
    }

    /// One on which such directories of this machine may be mounted.
    public static TestServer open(AdmissionConfig admission, Callers callers, BindConfig binds) throws IOException {
        return new TestServer(admission, callers, List.of(Listen.parse("127.0.0.1:0")), TestHost.open(2, binds));
    }

    /// One whose jobs may have such networks.
    public static TestServer open(Callers callers, NetworkConfig network) throws IOException {
        var root = Files.createTempDirectory("bobbin-test");
        return new TestServer(
                AdmissionConfig.DEFAULT,
                callers,
                List.of(Listen.parse("127.0.0.1:0")),
                TestHost.open(2, root, true, network));
    }

    public static TestServer listening(List<Listen> listen, Callers callers) throws IOException {
        return new TestServer(AdmissionConfig.DEFAULT, callers, listen, TestHost.open(2, BindConfig.NONE));
    }

    public RawClient client() throws IOException {
        return new RawClient(http.port());
    }

    /// One request on a connection of its own.
    public RawClient.Answer get(String path, String... headers) throws IOException {
        try (var client = client()) {
            return client.exchange(head("GET", path, headers) + "\r\n");
        }
    }

    public RawClient.Answer post(String path, String body, String... headers) throws IOException {
        try (var client = client()) {
            return client.exchange(request(path, body, headers));
        }
    }

    public RawClient.Answer delete(String path, String... headers) throws IOException {
        try (var client = client()) {
            return client.exchange(head("DELETE", path, headers) + "\r\n");
        }
    }

    /// A POST as it goes over the wire.
    public static String request(String path, String body, String... headers) {
        var length = body.getBytes(StandardCharsets.UTF_8).length;
        return head("POST", path, headers) + "Content-Length: " + length + "\r\n\r\n" + body;
    }

    /// A request line and its headers, without the empty line.
    public static String head(String method, String path, String... headers) {
        var head = new StringBuilder(method + " " + path + " HTTP/1.1\r\n");
        if (List.of(headers).stream().noneMatch(header -> header.startsWith("Host:"))) {
            head.append("Host: localhost\r\n");
        }
        for (var header : headers) {
            head.append(header).append("\r\n");
        }
        return head.toString();
    }

    @Override
    public void close() throws IOException {
        http.close();
        dispatcher.close();
        host.close();
    }
}
