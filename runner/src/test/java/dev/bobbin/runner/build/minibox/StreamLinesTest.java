package dev.bobbin.runner.build.minibox;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.BuildEvent;
import dev.bobbin.runner.BuildEvent.Kind;
import dev.bobbin.runner.Output;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The lines of a build, whole.
class StreamLinesTest {
    private static final String FILE = """
            BASE alpine
            BLOCK a
              WORKDIR /srv
              RUN x
            BLOCK b
              RUN y
            BLOCK unused
              RUN z
            BLOCK c
              NEED a
              COPY FROM=b bin/y /bin/y
            """;

    private final List<String> lines = new ArrayList<>();
    private long nanos;

    @Test
    void ofABuildInBlocks() {
        var stream = stream(FILE, StreamLines.Form.DAG);
        stream.begin("alpine", Duration.ofMillis(3));
        tell(stream, Kind.STARTED, "a", 0);
        tell(stream, Kind.CACHED, "b", 1);
        print(stream, "a", "one\ntwo\r\nthr");
        print(stream, "a", "ee\n[x] stays\nleft");
        tell(stream, Kind.DONE, "a", 1540);
        tell(stream, Kind.STARTED, "c", 0);
        tell(stream, Kind.DONE, "c", 12);
        tell(stream, Kind.EXPORTING, "", 0);
        nanos = Duration.ofSeconds(123).toNanos();
        stream.happened(new BuildEvent(Kind.FINISHED, "", "sha256:0123456789abcdef0123", 7));

        assertThat(String.join("\n", lines)).isEqualTo("""
                [base] alpine: ready (3ms)
                [build] mode=dag blocks=3
                [dag] wave=1 ready=a,b
                [a] START needs= workdir=/
                [b] START needs= workdir=/
                [b] CACHED (1ms)
                [a] one
                [a] two
                [a] three
                [x] stays
                [a] left
                [a] DONE (1.5s)
                [dag] wave=1 done cached=1 built=1 cpu_time=1.5s
                [dag] wave=2 ready=c
                [c] START needs=a workdir=/srv
                [c] copy bin/y -> /bin/y
                [c] DONE (12ms)
                [dag] wave=2 done cached=0 built=1 cpu_time=12ms
                [dag-summary] blocks=3 cached=1 built=2
                [finalize] writing 2 layer(s)
                [finalize] done (7ms)
                [build] DONE image=demo manifest=0123456789ab (2m3s)
                Build completed successfully""");
    }

    @Test
    void ofABuildInTheOlderForm() {
        var stream = stream("FROM alpine\nRUN a b\nCOPY x y\n", StreamLines.Form.LINEAR);
        stream.begin("alpine", Duration.ofMillis(3));
        tell(stream, Kind.CACHED, "step-1", 1);
        tell(stream, Kind.STARTED, "step-2", 0);
        tell(stream, Kind.FAILED, "step-2", 1);

        assertThat(String.join("\n", lines)).isEqualTo("""
                [base] alpine: ready (3ms)
                [build] mode=legacy-linear
                Step 1: RUN [a b]
                 ---> Using cache
                Step 2: COPY [x y]
                 ---> Building...""");
    }

    @Test
    void ofABlockThatIsSilent() {
        var stream = stream(FILE, StreamLines.Form.DAG);
        tell(stream, Kind.STARTED, "a", 0);
        lines.clear();
        nanos += Duration.ofSeconds(9).toNanos();
        stream.remind();
        assertThat(lines).isEmpty();

        nanos += Duration.ofSeconds(1).toNanos();
        stream.remind();
        stream.remind();
        assertThat(lines).containsExactly("[a] ... (still working)");
    }

    @Test
    void areNeverTooLongForClients() {
        var stream = stream(FILE, StreamLines.Form.DAG);
        tell(stream, Kind.STARTED, "a", 0);
        lines.clear();
        print(stream, "a", "x".repeat(100_000) + "\n");

        assertThat(lines).hasSize(2).allMatch(line -> line.length() < 65_536);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0ms",
        "12, 12ms",
        "999, 999ms",
        "1000, 1s",
        "1540, 1.5s",
        "59999, 59.9s",
        "60000, 1m0s",
        "3723000, 62m3s"
    })
    void writeDurations(long millis, String text) {
        assertThat(Durations.text(Duration.ofMillis(millis))).isEqualTo(text);
    }

    private StreamLines stream(String file, StreamLines.Form form) {
        return new StreamLines("demo", MiniBoxTest.plan(file, null), form, () -> nanos, lines::add);
    }

    private static void tell(StreamLines stream, Kind kind, String step, long millis) {
        stream.happened(new BuildEvent(kind, step, "title", millis));
    }

    private static void print(StreamLines stream, String step, String text) {
        stream.printed(step, Output.Stream.STDOUT, ByteBuffer.wrap(text.getBytes(UTF_8)));
    }
}
