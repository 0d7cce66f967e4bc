package dev.bobbin.benchmarks;

import dev.bobbin.runner.Attempt;
import dev.bobbin.runner.Ending;
import dev.bobbin.runner.StartTimeline;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// How long does a job take from the call of the host to its known end, without HTTP? With 16 sandboxes parked, and
/// with none. Jobs run one after the other. Exec will be measured once it exists.
///
///     mvn -q package -DskipTests
///     java -cp 'benchmarks/target/benchmarks-0.1.0-SNAPSHOT.jar:benchmarks/target/lib/*' org.openjdk.jmh.Main
/// StartWithoutHttp
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 4, time = 3)
@Measurement(iterations = 5, time = 3)
@Fork(
        value = 1,
        jvmArgs = {"--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-Djdk.pollerMode=1"})
@SuppressWarnings("NullAway.Init") // JMH sets up
public class StartWithoutHttp {
    @Param({"16", "0"})
    public int pool;

    private RealHost host;
    private Phases phases;

    @Setup
    public void open() throws IOException {
        host = new RealHost(pool);
    }

    @Setup(Level.Iteration)
    public void forget() {
        phases = new Phases();
    }

    @Benchmark
    public Ending run() throws Exception {
        return switch (host.runtime.start(RealHost.runOfTrue(), StartTimeline.begin())) {
            case Attempt.Refused refused ->
                throw new IllegalStateException(refused.refusal().detail());
            case Attempt.Accepted accepted -> {
                try (var execution = accepted.execution()) {
                    var ending = execution.await();
                    phases.add(execution.timeline());
                    yield ending;
                }
            }
        };
    }

    @TearDown(Level.Iteration)
    public void print() {
        phases.print();
    }

    @TearDown
    public void close() throws IOException {
        host.close();
    }
}
