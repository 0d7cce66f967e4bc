package dev.bobbin.runner.host;

import dev.bobbin.runner.Ending;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.cgroup.Cgroups;
import dev.bobbin.runner.journal.Journal;
import dev.bobbin.runner.journal.Precedence;
import dev.bobbin.runner.sandbox.Sandbox;
import dev.bobbin.runner.sandbox.SandboxFiles;
import dev.bobbin.runner.wire.Fields;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The journals that were on disk when this server began, read back in the background so that the start does not wait.
final class Archive {
    private static final System.Logger LOG = System.getLogger(Archive.class.getName());

    private final SandboxFiles files;
    private final List<SandboxId> found;
    private final Precedence precedence;
    /// Those of processes in sandboxes that last.
    private final List<Lasting> lasting = new ArrayList<>();
    private final CountDownLatch complete = new CountDownLatch(1);

    /// An ended job, the size of its journal, and when it ended.
    record Entry(LocalExecution execution, long bytes, long endedMillis) {}

    private record Lasting(SandboxId id, Path journal) {}

    /// Notes what is there now, except the sandboxes that are `live`.
    Archive(SandboxFiles files, List<SandboxId> live, Precedence precedence) throws IOException {
        this.files = files;
        this.precedence = precedence;
        this.found = new ArrayList<>(files.kept());
        found.removeAll(live);
    }

    /// Adds one that turned out not to be live; only before [#read].
    void add(SandboxId id) {
        found.add(id);
    }

    /// Adds a journal of a process in a sandbox that lasts; only before [#read].
    void add(SandboxId id, Path journal) {
        lasting.add(new Lasting(id, journal));
    }

    /// Reads every journal, oldest first. What never became a job is removed.
    void read(Consumer<Entry> each) {
        try {
            Stream.concat(
                            found.stream().map(this::entry),
                            lasting.stream().map(other -> entry(other.id(), other.journal(), precedence)))
                    .flatMap(Optional::stream)
                    .sorted(Comparator.comparingLong(Entry::endedMillis))
                    .forEach(each);
        } finally {
            complete.countDown();
        }
    }

    /// Waits until everything is read.
    void await() throws InterruptedException {
        complete.await();
    }

    private Optional<Entry> entry(SandboxId id) {
        var journal = files.journal(id);
        var entry = entry(id, journal, precedence);
        if (entry.isEmpty() && isEmpty(journal)) {
            files.removeKept(id);
        }
        return entry;
    }

    private static boolean isEmpty(Path journal) {
        try {
            return contents(journal).isEmpty();
        } catch (IOException _) {
            return false;
        }
    }

    /// What one journal tells of a process that does not run any more; nothing if it never became one.
    static Optional<Entry> entry(SandboxId id, Path journal, Precedence precedence) {
        try {
            var contents = contents(journal);
            if (contents.isEmpty()) {
                return Optional.empty();
            }
            var meta = JobMeta.decode(contents.get().meta());
            var timeline = meta.timeline();
            var execution = new LocalExecution(
                    meta,
                    id,
                    journal,
                    precedence,
                    null,
                    timeline,
                    () -> {},
                    () -> {},
                    _ -> {},
                    () -> Cgroups.evidence(List.of()));
            execution
                    .journal()
                    .finish(
                            contents.get().position(),
                            null,
                            ending(meta, contents.get().end()));
            return Optional.of(new Entry(
                    execution,
                    Journal.bytesOnDisk(journal),
                    Files.getLastModifiedTime(journal).toMillis()));
        } catch (IOException | UncheckedIOException e) {
            LOG.log(Level.WARNING, "the journal " + journal + " cannot be read and is left alone", e);
            return Optional.empty();
        }
    }

    /// A build lives in its server, so what ended it is known.
    private static Ending ending(JobMeta meta, @Nullable Fields end) throws IOException {
        var timeline = meta.timeline();
        return end == null
                ? new Ending(
                        meta.kind().equals(JobMeta.BUILD)
                                ? new Outcome.Cancelled("server_restart")
                                : new Outcome.HostLost(),
                        Ending.Total.NOTHING,
                        Ending.Total.NOTHING,
                        Ending.Usage.UNKNOWN,
                        timeline)
                : Verdict.read(end, timeline);
    }

    /// What a journal says, or nothing if no job ever came to it.
    static Optional<Journal.Contents> contents(Path journal) throws IOException {
        try {
            return Journal.contents(journal);
        } catch (NoSuchFileException _) {
            return Optional.empty();
        }
    }

    /// Hears nothing; for a sandbox that is only waited for.
    static final class Deaf implements Sandbox.Listener {
        @Override
        public void grew(long position, @Nullable ByteBuffer data) {}

        @Override
        public void ended(long position, @Nullable ByteBuffer data, Fields end) {}

        @Override
        public void endedUnrecorded(long position, Fields end) {}

        @Override
        public void stdinTaken(long position) {}

        @Override
        public void refused(String problem) {}
    }
}
