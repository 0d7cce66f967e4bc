package dev.bobbin.benchmarks;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// How long does `POST /v1/exec` of `true` in a sandbox that runs take on a kept-alive connection, from the first byte
/// sent to the last received?
///
///     benchmarks/jmh ExecOverHttp
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 4, time = 3)
@Measurement(iterations = 5, time = 3)
@Fork(
        value = 1,
        jvmArgs = {"--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-Djdk.pollerMode=1"})
@SuppressWarnings("NullAway.Init") // JMH sets up
public class ExecOverHttp {
    private static final byte[] REQUEST =
            RealServer.request("POST", "/v1/exec", "{\"sandbox\":\"box\",\"command\":[\"/usr/bin/true\"]}");

    private RealServer server;

    @Setup
    public void open() throws IOException {
        server = new RealServer(1);
        server.exchange(RealServer.request("POST", "/v1/sandboxes", "{\"name\":\"box\"}"));
    }

    @Benchmark
    public byte[] exec() throws IOException {
        return server.exchange(REQUEST);
    }

    @TearDown
    public void close() throws IOException {
        server.exchange(RealServer.request("DELETE", "/v1/sandboxes/box", ""));
        server.close();
    }
}
