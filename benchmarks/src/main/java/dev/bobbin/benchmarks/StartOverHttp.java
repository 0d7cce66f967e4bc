package dev.bobbin.benchmarks;

import dev.bobbin.scheduler.admission.Admission;
import dev.bobbin.scheduler.admission.AdmissionConfig;
import dev.bobbin.scheduler.cluster.SingleHostCluster;
import dev.bobbin.scheduler.dispatch.Dispatcher;
import dev.bobbin.scheduler.dispatch.ImageDirectory;
import dev.bobbin.scheduler.http.HttpConfig;
import dev.bobbin.scheduler.http.HttpServer;
import dev.bobbin.scheduler.http.Listen;
import dev.bobbin.scheduler.placement.HostId;
import dev.bobbin.scheduler.tenant.Callers;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// How long does `POST /v1/run` of `true` take on a kept-alive connection, from the first byte sent to the last
/// received?
///
///     mvn -q package -DskipTests
///     java -cp 'benchmarks/target/benchmarks-0.1.0-SNAPSHOT.jar:benchmarks/target/lib/*' org.openjdk.jmh.Main
/// StartOverHttp
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 4, time = 3)
@Measurement(iterations = 5, time = 3)
@Fork(
        value = 1,
        jvmArgs = {"--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-Djdk.pollerMode=1"})
@SuppressWarnings("NullAway.Init") // JMH sets up
public class StartOverHttp {
    private static final String BODY = "{\"command\":[\"/usr/bin/true\"]}";

    @Param({"16", "0"})
    public int pool;

    private RealHost host;
    private Dispatcher dispatcher;
    private HttpServer server;
    private Socket socket;
    private DataInputStream in;
    private byte[] request;

    @Setup
    public void open() throws IOException {
        host = new RealHost(pool);
        dispatcher = new Dispatcher(
                new Admission(AdmissionConfig.DEFAULT, host.runtime.capacity()),
                new SingleHostCluster(new HostId("benchmark"), host.runtime),
                host.runtime,
                host.meters);
        server = new HttpServer(
                new HttpConfig(List.of(new Listen.Tcp("127.0.0.1", 0)), List.of(), List.of()),
                dispatcher,
                new ImageDirectory(host.images),
                new Callers(List.of()),
                List.of());
        server.start();
        socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
        socket.setTcpNoDelay(true);
        in = new DataInputStream(new java.io.BufferedInputStream(socket.getInputStream()));
        request = ("POST /v1/run HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: " + BODY.length() + "\r\n\r\n" + BODY)
                .getBytes(StandardCharsets.US_ASCII);
    }

    @Benchmark
    public byte[] run() throws IOException {
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
        if (!status.contains(" 200 ")) {
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

    @TearDown
    public void close() throws IOException {
        socket.close();
        server.close();
        dispatcher.close();
        host.close();
    }
}
