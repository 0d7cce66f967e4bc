package dev.bobbin.runner.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.runner.Ending;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.StartTimeline;
import dev.bobbin.runner.wire.Wire;
import dev.bobbin.runner.wire.WireException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalTest {
    private static final Ending EXITED = new Ending(
            new Outcome.Exited(0),
            Ending.Total.NOTHING,
            Ending.Total.NOTHING,
            Ending.Usage.UNKNOWN,
            StartTimeline.begin());

    @TempDir
    Path directory;

    private Path file = Path.of("");
    private long end;
    private long written;
    private final AtomicLong caughtUp = new AtomicLong();

    @BeforeEach
    void begin() throws Exception {
        file = directory.resolve("0");
        var header = ByteBuffer.allocate(Wire.JOURNAL_HEADER).order(ByteOrder.LITTLE_ENDIAN);
        header.put(Wire.JOURNAL_MAGIC.getBytes(StandardCharsets.US_ASCII)).putInt(Wire.JOURNAL_VERSION);
        Files.write(file, header.array());
        end = Wire.JOURNAL_HEADER;
    }

    @Test
    void endsBehindARecordThatClaimsMoreThanThereIs() throws Exception {
        var journal = journal();
        append(journal, Wire.RECORD_META, "meta", true);
        append(journal, Wire.RECORD_STDOUT, "hello\n", true);
        try (var channel = java.nio.channels.FileChannel.open(file, StandardOpenOption.WRITE)) {
            var length = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            channel.write(length.putInt(0, 1000), Wire.JOURNAL_HEADER);
        }
        var again = new Journal(file, new Precedence(), caughtUp::set);
        again.grew(end, null);
        again.finish(end, null, EXITED);
        assertThat(text(again, 0)).isEmpty();
    }

    @Test
    void readsSmallOutputWithoutTheFile() throws Exception {
        var journal = journal();
        append(journal, Wire.RECORD_META, "meta", true);
        append(journal, Wire.RECORD_STDOUT, "hello\n", true);
        Files.delete(file);
        assertThat(text(journal, 0)).isEqualTo("hello\n");
    }

    @Test
    void readsTheSameFromMemoryAndFromTheFile() throws Exception {
        var inMemory = journal();
        var onDisk = journal();
        for (var text : List.of("one\n", "two\n", "three\n")) {
            append(inMemory, Wire.RECORD_STDOUT, text, true);
        }
        onDisk.grew(end, null);
        assertThat(text(inMemory, 0)).isEqualTo("one\ntwo\nthree\n").isEqualTo(text(onDisk, 0));
    }

    @Test
    void continuesAtEveryPositionItGaveWithoutLossOrRepetition() throws Exception {
        var seed = Long.getLong("bobbin.seed", System.nanoTime());
        var random = new Random(seed);
        var journal = journal();
        append(journal, Wire.RECORD_META, "m".repeat(100), true);
        append(journal, Wire.RECORD_STARTED, "", true);
        for (var record = 0; record < 200; record++) {
            var kind = random.nextBoolean() ? Wire.RECORD_STDOUT : Wire.RECORD_STDERR;
            append(journal, kind, letters(random, 1 + random.nextInt(2000)), random.nextInt(10) > 0);
        }
        for (var record = 0; record < 40; record++) {
            append(journal, Wire.RECORD_STDERR, letters(random, 1 + random.nextInt(Wire.RECORD_LONGEST)), false);
        }
        journal.finish(end, null, EXITED);
        var all = read(journal, 0);
        var total = text(all);
        for (var index = 0; index < all.size(); index++) {
            if (all.get(index) instanceof Output.Bytes bytes) {
                var before = text(all.subList(0, index + 1));
                assertThat(before + text(journal, bytes.at()))
                        .as("seed " + seed)
                        .isEqualTo(total);
                var part = random.nextInt(bytes.length() + 1);
                assertThat(text(journal, bytes.at() - part))
                        .as("seed " + seed)
                        .isEqualTo(total.substring(before.length() - part));
            }
        }
    }

    private static String letters(Random random, int count) {
        return random.ints(count, 'a', 'z' + 1)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }

    @Test
    void countsTheOffsetOfEachStreamWithinARecordToo() throws Exception {
        var journal = journal();
        append(journal, Wire.RECORD_STDOUT, "abcdef", false);
        journal.finish(end, null, EXITED);
        var rest = (Output.Bytes) read(journal, end - 2).getFirst();
        assertThat(rest.offset()).isEqualTo(4);
        assertThat(rest.at()).isEqualTo(end);
    }

    @Test
    void refusesPositionsThatNeverWereGiven() throws Exception {
        var journal = journal();
        append(journal, Wire.RECORD_STDOUT, "abcdef", true);
        for (var position : List.of(Wire.JOURNAL_HEADER + 1L, end + 1, Long.MAX_VALUE)) {
            assertThatThrownBy(() -> read(journal, position))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("from: ");
        }
    }

    @Test
    void followsUntilTheEndAndSaysWhenItHasCaughtUp() throws Exception {
        var journal = journal();
        var outputs = new ArrayList<Output>();
        var reading = new CompletableFuture<Void>();
        Thread.ofVirtual().start(() -> {
            try {
                journal.read(0, true, outputs::add);
                reading.complete(null);
            } catch (Exception e) {
                reading.completeExceptionally(e);
            }
        });
        append(journal, Wire.RECORD_STDOUT, "a", true);
        append(journal, Wire.RECORD_STDOUT, "b", false);
        while (caughtUp.get() < end) {
            Thread.onSpinWait();
        }
        assertThat(journal.unfollowedNanos()).isZero();
        journal.finish(end, null, EXITED);
        reading.get();
        assertThat(text(outputs)).isEqualTo("ab");
        assertThat(outputs.getLast()).isEqualTo(new Output.Ended(end, EXITED));
    }

    @Test
    void readsRecordsLargerThanAChunk() throws Exception {
        var journal = journal();
        append(journal, Wire.RECORD_META, "m".repeat(300_000), false);
        append(journal, Wire.RECORD_STDOUT, "y".repeat(Wire.RECORD_LONGEST), false);
        append(journal, Wire.RECORD_STDOUT, "z".repeat(Wire.RECORD_LONGEST), false);
        journal.finish(end, null, EXITED);
        assertThat(text(journal, 0)).hasSize(2 * Wire.RECORD_LONGEST);
    }

    @Test
    void keepsTheFirstEnd() throws Exception {
        var journal = journal();
        assertThat(journal.finish(end, null, EXITED)).isTrue();
        assertThat(journal.finish(end, null, EXITED)).isFalse();
    }

    @Test
    void namesAJournalOfANewerVersion() throws Exception {
        var bytes = Files.readAllBytes(file);
        bytes[8] = 9;
        Files.write(file, bytes);
        assertThatThrownBy(() -> Journal.contents(file))
                .isInstanceOf(WireException.class)
                .hasMessageContaining("version 9")
                .hasMessageContaining("up to 3");
    }

    @Test
    void readsAJournalOfTheFirstVersion() throws Exception {
        var bytes = Files.readAllBytes(file);
        bytes[8] = 1;
        Files.write(file, bytes);
        var journal = journal();
        append(journal, Wire.RECORD_META, "meta", false);
        append(journal, Wire.RECORD_STARTED, "", false);
        append(journal, Wire.RECORD_STDOUT, "abc", false);
        assertThat(Journal.contents(file).orElseThrow().meta()).asString().isEqualTo("meta");
        assertThat(text(journal, 0)).isEqualTo("abc");
        assertThat(Journal.bytesOnDisk(file)).isEqualTo(end);
    }

    @Test
    void tellsAReaderWhatIsGone() throws Exception {
        var journal = journal();
        append(journal, Wire.RECORD_META, "meta", false);
        var gap = end;
        append(journal, Wire.RECORD_GAP, "\0".repeat(16), false);
        append(journal, Wire.RECORD_STARTED, "", false);
        var from = end;
        append(journal, Wire.RECORD_STDOUT, "abc", false);
        var amid = end;
        append(journal, Wire.RECORD_STDERR, "de", false);
        var low = end;
        append(journal, Wire.RECORD_STDOUT, "fgh", false);
        punch(gap, from, low);
        var all = read(journal, 0);
        assertThat(all.subList(1, all.size() - 1)).first().isEqualTo(new Output.Gap(low, Output.Stream.STDOUT, 0, 3));
        assertThat(text(all)).isEqualTo("fgh");
        var late = read(journal, amid);
        assertThat(late.getFirst()).isEqualTo(new Output.Gap(low, Output.Stream.STDOUT, 0, 3));
        assertThat(text(late)).isEqualTo("fgh");
        assertThat(read(journal, low)).noneMatch(Output.Gap.class::isInstance);
        journal.finish(
                end,
                null,
                new Ending(
                        new Outcome.Exited(0),
                        new Ending.Total(6, 0),
                        new Ending.Total(2, 0),
                        Ending.Usage.UNKNOWN,
                        StartTimeline.begin()));
        assertThat(read(journal, 0)).contains(new Output.Gap(end, Output.Stream.STDERR, 0, 2));
        assertThat(Journal.contents(file).orElseThrow().position()).isEqualTo(end);
    }

    /// Does what PID 1 does: says what is gone, then lets it read as zeros.
    private void punch(long gap, long from, long low) throws Exception {
        try (var channel = java.nio.channels.FileChannel.open(file, StandardOpenOption.WRITE)) {
            var mark = ByteBuffer.allocate(16)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(from)
                    .putLong(low);
            channel.write(mark.flip(), gap + Wire.RECORD_HEADER);
            channel.write(ByteBuffer.allocate((int) (low - from)), from);
        }
    }

    @Test
    void findsMetaAndEndOnDiskAndStopsBeforeATornRecord() throws Exception {
        var journal = journal();
        append(journal, Wire.RECORD_META, "meta", true);
        append(journal, Wire.RECORD_STDOUT, "abc", true);
        var whole = end;
        Files.write(file, new byte[] {50, 0, 0, 0, 3}, StandardOpenOption.APPEND);
        var contents = Journal.contents(file).orElseThrow();
        assertThat(new String(contents.meta(), StandardCharsets.UTF_8)).isEqualTo("meta");
        assertThat(contents.end()).isNull();
        assertThat(contents.position()).isEqualTo(whole);
    }

    @Test
    void isNothingBeforeAnOrderCame() throws Exception {
        assertThat(Journal.contents(file)).isEmpty();
        Files.write(file, new byte[0]);
        assertThat(Journal.contents(file)).isEmpty();
    }

    @Test
    void complainsAboutDamageInsteadOfTurningInCircles() throws Exception {
        var journal = journal();
        append(journal, Wire.RECORD_STDOUT, "abc", false);
        Files.write(file, new byte[Wire.JOURNAL_HEADER], StandardOpenOption.TRUNCATE_EXISTING);
        assertThatThrownBy(() -> read(journal, 0)).isInstanceOf(WireException.class);
    }

    private Journal journal() {
        return new Journal(file, new Precedence(), caughtUp::set);
    }

    private void append(Journal journal, int kind, String text, boolean inline) throws Exception {
        var data = text.getBytes(StandardCharsets.UTF_8);
        var record = ByteBuffer.allocate(Wire.RECORD_HEADER + data.length).order(ByteOrder.LITTLE_ENDIAN);
        record.putInt(data.length)
                .putInt(kind)
                .putLong(1)
                .putLong(written)
                .put(data)
                .flip();
        Files.write(file, record.array(), StandardOpenOption.APPEND);
        end += record.remaining();
        if (kind == Wire.RECORD_STDOUT) {
            written += data.length;
        }
        @Nullable ByteBuffer shown = inline ? record : null;
        journal.grew(end, shown);
    }

    private static List<Output> read(Journal journal, long from) throws Exception {
        var outputs = new ArrayList<Output>();
        journal.read(from, false, output -> outputs.add(output instanceof Output.Bytes bytes ? kept(bytes) : output));
        return outputs;
    }

    private static Output kept(Output.Bytes bytes) {
        return new Output.Bytes(
                bytes.at(), bytes.timeNanos(), bytes.stream(), bytes.offset(), ByteBuffer.wrap(bytes.copy()));
    }

    private static String text(Journal journal, long from) throws Exception {
        return text(read(journal, from));
    }

    private static String text(List<Output> outputs) {
        var bytes = new ByteArrayOutputStream();
        for (var output : outputs) {
            if (output instanceof Output.Bytes data) {
                bytes.writeBytes(data.copy());
            }
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
