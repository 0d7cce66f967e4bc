package dev.bobbin.scheduler.http.v1;

import dev.bobbin.image.ImageReference;
import dev.bobbin.runner.Ending;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.OutputSink;
import dev.bobbin.runner.StartTimeline;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A job whose output a test writes by hand, in records with a header, as a journal has them.
final class ScriptedJob implements Execution {
    private static final int HEADER = 16;

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Piece(long position, Output.Stream stream, long offset, byte[] data) {
        long end() {
            return position + HEADER + data.length;
        }
    }

    private final JobId id = JobId.next();
    private final Job.OnDisconnect onDisconnect;
    private final StartTimeline timeline = StartTimeline.begin();
    private final List<Piece> records = new ArrayList<>();
    private final Map<Output.Stream, Long> totals = new EnumMap<>(Output.Stream.class);
    private long end = 64;
    private @Nullable Ending ending;

    ScriptedJob(Job.OnDisconnect onDisconnect) {
        this.onDisconnect = onDisconnect;
        timeline.stamp(StartTimeline.Phase.ADMIT);
    }

    synchronized ScriptedJob print(Output.Stream stream, byte[] data) {
        records.add(new Piece(end, stream, total(stream), data));
        totals.merge(stream, (long) data.length, Long::sum);
        end += HEADER + data.length;
        notifyAll();
        return this;
    }

    synchronized ScriptedJob end(Outcome outcome) {
        if (ending == null) {
            ending = new Ending(
                    outcome,
                    new Ending.Total(total(Output.Stream.STDOUT), 0),
                    new Ending.Total(total(Output.Stream.STDERR), 0),
                    new Ending.Usage(1, 2, -1, -1, -1, -1, -1, -1, -1, -1, ""),
                    timeline);
        }
        notifyAll();
        return this;
    }

    @Override
    public void read(long from, boolean follow, OutputSink sink) throws IOException, InterruptedException {
        if (from > end()) {
            throw new IllegalArgumentException("the output ends at position " + end());
        }
        var position = Math.max(from, 64);
        while (true) {
            var next = next(position);
            if (next != null) {
                var skip = (int) Math.max(0, position - next.position() - HEADER);
                var data = Arrays.copyOfRange(next.data(), skip, next.data().length);
                sink.accept(
                        new Output.Bytes(next.end(), 0, next.stream(), next.offset() + skip, ByteBuffer.wrap(data)));
                position = next.end();
                continue;
            }
            var over = ending();
            if (over.isPresent() && position == end()) {
                sink.accept(new Output.Ended(position, over.get()));
                sink.flush();
                return;
            }
            sink.flush();
            if (!follow) {
                return;
            }
            awaitMore(position);
        }
    }

    private synchronized void awaitMore(long position) throws InterruptedException {
        while (end == position && ending == null) {
            wait();
        }
    }

    private synchronized @Nullable Piece next(long position) {
        return records.stream()
                .filter(record -> record.end() > position)
                .findFirst()
                .orElse(null);
    }

    private synchronized long total(Output.Stream stream) {
        return totals.getOrDefault(stream, 0L);
    }

    private synchronized long end() {
        return end;
    }

    @Override
    public synchronized Optional<Ending> ending() {
        return Optional.ofNullable(ending);
    }

    @Override
    public synchronized Ending await() throws InterruptedException {
        while (ending == null) {
            wait();
        }
        return ending;
    }

    @Override
    public void cancel(String by) {
        end(new Outcome.Cancelled(by));
    }

    @Override
    public Optional<Limits> limits() {
        return Optional.empty();
    }

    @Override
    public Set<String> unenforcedLimits() {
        return Set.of();
    }

    @Override
    public JobId id() {
        return id;
    }

    @Override
    public String tenant() {
        return "default";
    }

    @Override
    public String kind() {
        return "run";
    }

    @Override
    public Optional<Network.Attachment> attachment() {
        return Optional.empty();
    }

    @Override
    public Optional<String> seccomp() {
        return Optional.empty();
    }

    @Override
    public ImageReference image() {
        return ImageReference.HOST;
    }

    @Override
    public List<String> command() {
        return List.of("true");
    }

    @Override
    public Map<String, String> labels() {
        return Map.of();
    }

    @Override
    public Instant createdAt() {
        return Instant.EPOCH;
    }

    @Override
    public Job.OnDisconnect onDisconnect() {
        return onDisconnect;
    }

    @Override
    public StartTimeline timeline() {
        return timeline;
    }

    @Override
    public long feed(long position, byte[] data, boolean last) {
        throw new IllegalArgumentException("standard input was not left open");
    }

    @Override
    public void close() {}

    @Override
    public long position() {
        throw new UnsupportedOperationException("position");
    }

    @Override
    public void signal(int number) {
        throw new UnsupportedOperationException("signal");
    }

    @Override
    public boolean hasTerminal() {
        return false;
    }

    @Override
    public boolean type(byte[] data, java.time.Duration patience) {
        throw new UnsupportedOperationException("type");
    }

    @Override
    public void resize(dev.bobbin.runner.Terminal size) {
        throw new UnsupportedOperationException("resize");
    }
}
