package dev.bobbin.scheduler.http.v1;

import dev.bobbin.runner.Output;
import dev.bobbin.runner.Output.Stream;
import dev.bobbin.runner.OutputSink;
import dev.bobbin.scheduler.http.exchange.Streamed;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/// The bytes of the program as they come, and nothing else. Where bytes are missing is told behind them, since
/// among them nothing can tell it.
final class PlainOutput implements OutputSink {
    private static final int MOST_GAPS = 32;

    private final Streamed answer;
    private final Set<Stream> wanted;
    private final List<String> gaps = new ArrayList<>();
    private long gapsUntold;
    private long bytesUntold;

    PlainOutput(Streamed answer, Set<Stream> wanted) {
        this.answer = answer;
        this.wanted = Set.copyOf(wanted);
    }

    @Override
    public void accept(Output output) throws IOException {
        switch (output) {
            case Output.Bytes bytes -> {
                if (wanted.contains(bytes.stream())) {
                    answer.write(bytes.data());
                }
            }
            case Output.Gap gap -> {
                if (wanted.contains(gap.stream())) {
                    note(gap);
                }
            }
            case Output.Progress progress -> {
                if (wanted.contains(Stream.STDOUT)) {
                    answer.write(ByteBuffer.wrap(BuildLine.of(progress.event()).getBytes(StandardCharsets.UTF_8)));
                }
            }
            case Output.Started _, Output.Heartbeat _, Output.Ended _ -> {}
        }
    }

    private void note(Output.Gap gap) {
        if (gaps.size() == MOST_GAPS) {
            gapsUntold++;
            bytesUntold += gap.bytes();
            return;
        }
        var stream = gap.stream().name().toLowerCase(Locale.ROOT);
        gaps.add(stream + ";offset=" + gap.offset() + ";bytes=" + gap.bytes());
    }

    /// Which bytes are missing, as a list of RFC 9651: `stdout;offset=0;bytes=4096, …`. Past 32 gaps the last member is
    /// `more;gaps=N;bytes=N`. Nothing if none is.
    Optional<String> gaps() {
        if (gaps.isEmpty()) {
            return Optional.empty();
        }
        var told = String.join(", ", gaps);
        return Optional.of(gapsUntold == 0 ? told : told + ", more;gaps=" + gapsUntold + ";bytes=" + bytesUntold);
    }

    @Override
    public void flush() throws IOException {
        answer.flush();
    }
}
