package dev.bobbin.runner.journal;

import dev.bobbin.runner.Ending;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.OutputSink;
import dev.bobbin.runner.wire.Fields;
import dev.bobbin.runner.wire.Wire;
import dev.bobbin.runner.wire.WireException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/// The journal of one job: how far it has grown, whether it is finished, and its readers. Safe for many threads.
public final class Journal {
    /* PID 1 appends to the file and says how far it has grown; small growth arrives with its bytes. As long as those bytes
     * join without a hole from the first record on they are kept here, up to HEAD_LONGEST, so that a job that prints
     * little is answered without a single read of the file. A reader holds only its position: a slow one costs no memory
     * and delays nobody. The head is given up when the job has ended and its last reader left. */

    private static final int HEAD_LONGEST = 64 * 1024;
    /// Less than this is read into an array of its own.
    private static final int MUCH = 16 * 1024;
    /// What a reader may take in one turn. A virtual thread is never interrupted by another: one that finds more to
    /// read,
    /// and a client that takes it, would keep its carrier from everybody else.
    private static final int QUANTUM = 256 * 1024;
    private static final long HEARTBEAT_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Path file;
    private final Precedence precedence;
    private final ReadBuffers buffers;
    private final LongConsumer caughtUp;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final List<Reader> readers = new ArrayList<>();
    private byte[] head = new byte[0];
    private int headLength;
    private boolean headJoins = true;
    private long end = Wire.JOURNAL_HEADER;
    private long lastFollowerLeftNanos = System.nanoTime();
    private @Nullable Ending ending;

    /// @param precedence what its readers give way to
    /// @param caughtUp told the journal's end whenever every attached follower has read up to it; no lock is held
    public Journal(Path file, Precedence precedence, LongConsumer caughtUp) {
        this.file = file;
        this.precedence = precedence;
        this.buffers = precedence.buffers();
        this.caughtUp = caughtUp;
    }

    /// Notes that the journal now ends at `newEnd`; `bytes`, if given, are its last ones.
    public void grew(long newEnd, @Nullable ByteBuffer bytes) {
        lock.lock();
        try {
            if (newEnd <= end) {
                return;
            }
            keepHead(newEnd, bytes);
            end = newEnd;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void keepHead(long newEnd, @Nullable ByteBuffer bytes) {
        if (!headJoins) {
            return;
        }
        var joins = bytes != null && newEnd - bytes.remaining() == Wire.JOURNAL_HEADER + headLength;
        if (bytes == null || !joins || headLength + bytes.remaining() > HEAD_LONGEST) {
            headJoins = false;
            return;
        }
        if (head.length < headLength + bytes.remaining()) {
            head = Arrays.copyOf(head, Math.max(head.length * 2, headLength + bytes.remaining()));
        }
        var length = bytes.remaining();
        bytes.get(bytes.position(), head, headLength, length);
        headLength += length;
    }

    /// Notes that nothing more will be appended after `newEnd`, and why. Only the first call counts.
    ///
    /// @return whether this was the first
    public boolean finish(long newEnd, @Nullable ByteBuffer bytes, Ending how) {
        lock.lock();
        try {
            if (ending != null) {
                return false;
            }
            grew(newEnd, bytes);
            ending = how;
            releaseHead();
            changed.signalAll();
            return true;
        } finally {
            lock.unlock();
        }
    }

    /// The position behind all that is known of it.
    public long position() {
        lock.lock();
        try {
            return end;
        } finally {
            lock.unlock();
        }
    }

    public Optional<Ending> ending() {
        lock.lock();
        try {
            return Optional.ofNullable(ending);
        } finally {
            lock.unlock();
        }
    }

    public Ending await() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (ending == null) {
                changed.await();
            }
            return ending;
        } finally {
            lock.unlock();
        }
    }

    /// How long nobody has followed this journal, in nanoseconds; 0 while somebody does.
    public long unfollowedNanos() {
        lock.lock();
        try {
            var followed = readers.stream().anyMatch(reader -> reader.follow);
            return followed ? 0 : System.nanoTime() - lastFollowerLeftNanos;
        } finally {
            lock.unlock();
        }
    }

    /// See [dev.bobbin.runner.Execution#read].
    public void read(long from, boolean follow, OutputSink sink) throws IOException, InterruptedException {
        var reader = new Reader(follow, sink);
        try (reader) {
            reader.seek(from);
            lock.lock();
            try {
                readers.add(reader);
            } finally {
                lock.unlock();
            }
            reader.run();
        } finally {
            leave(reader);
        }
    }

    private void leave(Reader reader) {
        lock.lock();
        try {
            if (readers.remove(reader) && reader.follow) {
                lastFollowerLeftNanos = System.nanoTime();
            }
            releaseHead();
        } finally {
            lock.unlock();
        }
    }

    private void releaseHead() {
        if (ending != null && readers.isEmpty()) {
            head = new byte[0];
            headJoins = false;
        }
    }

    /// Tells PID 1 when every follower has seen everything, which lets a program go on that is past its limit.
    private void reportProgress() {
        long position;
        lock.lock();
        try {
            position = end;
            if (readers.stream().anyMatch(reader -> reader.follow && reader.position < end)) {
                return;
            }
        } finally {
            lock.unlock();
        }
        caughtUp.accept(position);
    }

    /// What a journal says about its job, read from disk after a restart of the server.
    ///
    /// @param meta what the order carried
    /// @param end the fields of the END record, `null` if there is none
    /// @param position where the last whole record ends
    @SuppressWarnings("ArrayRecordComponent") // handed over once, never compared
    public record Contents(byte[] meta, @Nullable Fields end, long position) {}

    /// Reads what `file` says, or nothing if no order ever reached its sandbox.
    public static Optional<Contents> contents(Path file) throws IOException {
        if (Files.size(file) == 0) {
            return Optional.empty();
        }
        try (var journal = JournalFile.open(file)) {
            var size = journal.size();
            var position = (long) Wire.JOURNAL_HEADER;
            byte @Nullable [] meta = null;
            Fields end = null;
            for (var record = journal.record(position, size);
                    record != null && record.next() <= size;
                    record = journal.record(position, size)) {
                if (record.kind() == Wire.RECORD_META) {
                    meta = journal.read(record.dataPosition(), record.length()).array();
                } else if (record.kind() == Wire.RECORD_END) {
                    end = journal.fields(record);
                }
                position = record.next();
            }
            return meta == null ? Optional.empty() : Optional.of(new Contents(meta, end, position));
        }
    }

    /// What the journal takes of its disk; a hole takes nothing.
    public static long bytesOnDisk(Path file) throws IOException {
        var size = Files.size(file);
        if (size <= HEAD_LONGEST) {
            return size;
        }
        try (var journal = JournalFile.open(file)) {
            return size - journal.hole().bytes();
        }
    }

    /// One reader: a position, and the sink it feeds. Used by one thread; `position` is read by others under the lock.
    private final class Reader implements AutoCloseable {
        private static final long UNKNOWN = -1;

        private final boolean follow;
        private final OutputSink sink;
        private final Precedence.Turn turn = precedence.turn();
        private @Nullable JournalFile opened;
        private long position = Wire.JOURNAL_HEADER;
        /// The record that `position` is in; `null` if one begins there.
        private @Nullable JournalRecord within;
        /// Bytes of each stream that this reader has or was told to be lost; absent where that is not known.
        private final Map<Output.Stream, Long> had = new EnumMap<>(Output.Stream.class);

        Reader(boolean follow, OutputSink sink) {
            this.follow = follow;
            this.sink = sink;
            assumeNothingHad();
        }

        void seek(long from) throws IOException {
            if (from <= Wire.JOURNAL_HEADER) {
                return;
            }
            var known = position();
            if (from == known) {
                position = from;
                had.clear();
                return;
            }
            if (from > known) {
                throw new IllegalArgumentException("from: the output ends at position " + known);
            }
            if (file().hole().bytes() > 0) {
                had.clear();
            }
            var record = file().holding(from, known, passed -> {
                if (passed.ofProgram()) {
                    had.put(stream(passed), passed.offset() + passed.length());
                }
            });
            position = Math.max(from, record.position());
            if (from < record.position()) {
                assumeNothingHad();
            }
            if (from > record.position()) {
                within = record;
                had.put(stream(record), offset(record));
            }
        }

        private void assumeNothingHad() {
            for (var stream : Output.Stream.values()) {
                had.put(stream, 0L);
            }
        }

        private static Output.Stream stream(JournalRecord record) {
            return record.kind() == Wire.RECORD_STDOUT ? Output.Stream.STDOUT : Output.Stream.STDERR;
        }

        /// Bytes of the stream before `position`, which is in `record`.
        private long offset(JournalRecord record) {
            return record.offset() + position - record.dataPosition();
        }

        void run() throws IOException, InterruptedException {
            var rested = position;
            while (true) {
                var known = position();
                var muchAtOnce = position == rested && known - position > QUANTUM / 2;
                if (muchAtOnce || position - rested > QUANTUM) {
                    rested = position;
                    turn.take();
                }
                if (position < known) {
                    var before = position;
                    readOn(known);
                    if (position == before) {
                        throw new WireException(Journal.this.file + " is damaged at position " + position);
                    }
                    continue;
                }
                var finished = ending();
                if (finished.isPresent() && position >= position()) {
                    tellGap(Output.Stream.STDOUT, finished.get().stdout().bytes());
                    tellGap(Output.Stream.STDERR, finished.get().stderr().bytes());
                    sink.accept(new Output.Ended(position, finished.get()));
                    sink.flush();
                    return;
                }
                turn.giveBack();
                sink.flush();
                if (!follow) {
                    return;
                }
                reportProgress();
                awaitChange();
                rested = position;
            }
        }

        /// Bytes of `stream` before `offset` that this reader has not had are lost.
        private void tellGap(Output.Stream stream, long offset) throws IOException {
            var before = had.getOrDefault(stream, UNKNOWN);
            if (before != UNKNOWN && offset > before) {
                sink.accept(new Output.Gap(position, stream, before, offset - before));
            }
        }

        /// Waits for more than this reader has; what is gone may reach further than what this server was told of.
        private void awaitChange() throws IOException, InterruptedException {
            var beat = false;
            lock.lockInterruptibly();
            try {
                var left = HEARTBEAT_NANOS;
                while (end <= position && ending == null && left > 0) {
                    left = changed.awaitNanos(left);
                }
                beat = left <= 0;
            } finally {
                lock.unlock();
            }
            if (beat) {
                sink.accept(new Output.Heartbeat(position));
            }
        }

        /// Delivers some of what lies between `position` and `known`.
        private void readOn(long known) throws IOException {
            var kept = ofHead();
            if (kept != null) {
                deliver(kept);
                return;
            }
            if (known - position < MUCH) {
                readInto(ByteBuffer.allocate((int) (known - position)));
                return;
            }
            var buffer = buffers.take();
            try {
                readInto(buffer.limit((int) Math.min(buffer.capacity(), known - position)));
            } finally {
                buffers.giveBack(buffer);
            }
        }

        /// What the head has from `position` on; `null` if that is not in there.
        private @Nullable ByteBuffer ofHead() {
            lock.lock();
            try {
                var start = position - Wire.JOURNAL_HEADER;
                return headJoins && start < headLength
                        ? ByteBuffer.wrap(head, (int) start, headLength - (int) start)
                                .slice()
                                .order(ByteOrder.LITTLE_ENDIAN)
                        : null;
            } finally {
                lock.unlock();
            }
        }

        private void readInto(ByteBuffer buffer) throws IOException {
            file().read(position, buffer.order(ByteOrder.LITTLE_ENDIAN));
            var read = buffer.flip();
            var hole = file().hole();
            if (hole.covers(position)) {
                moveTo(hole.low(), null);
                return;
            }
            if (position < hole.from() && position + read.limit() > hole.from() && hole.bytes() > 0) {
                read.limit((int) (hole.from() - position));
            }
            deliver(read);
        }

        private void deliver(ByteBuffer read) throws IOException {
            while (read.hasRemaining()) {
                var record = within == null ? JournalRecord.at(position, read) : within;
                if (record == null) {
                    return;
                }
                if (within == null) {
                    if (record.ofProgram()) {
                        tellGap(stream(record), record.offset());
                    }
                    read.position(read.position() + Wire.RECORD_HEADER);
                    moveTo(record.dataPosition(), record);
                }
                if (!record.ofProgram()) {
                    pass(record, read);
                    continue;
                }
                var length = (int) Math.min(read.remaining(), record.next() - position);
                var stream = stream(record);
                var offset = offset(record);
                var next = position + length;
                if (length > 0) {
                    var data = read.slice(read.position(), length);
                    sink.accept(new Output.Bytes(next, record.timeNanos(), stream, offset, data));
                }
                read.position(read.position() + length);
                had.put(stream, offset + length);
                moveTo(next, next == record.next() ? null : record);
            }
        }

        /// Goes behind a record that is not the program's, read or not.
        private void pass(JournalRecord record, ByteBuffer read) throws IOException {
            if (record.kind() == Wire.RECORD_STARTED) {
                sink.accept(new Output.Started(record.next(), record.timeNanos()));
            } else if (record.kind() == Wire.RECORD_PROGRESS) {
                var event = ProgressRecord.read(file().fields(record));
                sink.accept(new Output.Progress(record.next(), record.timeNanos(), event));
            }
            read.position(read.position() + Math.min(read.remaining(), record.length()));
            moveTo(record.next(), null);
        }

        private void moveTo(long next, @Nullable JournalRecord in) {
            within = in;
            lock.lock();
            try {
                position = next;
            } finally {
                lock.unlock();
            }
        }

        private JournalFile file() throws IOException {
            if (opened == null) {
                opened = JournalFile.open(file);
            }
            return opened;
        }

        @Override
        public void close() throws IOException {
            turn.giveBack();
            if (opened != null) {
                opened.close();
            }
        }
    }
}
