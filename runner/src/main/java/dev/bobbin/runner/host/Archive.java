package dev.bobbin.runner.host;

import dev.bobbin.runner.Ending;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.StartTimeline;
import dev.bobbin.runner.cgroup.Cgroups;
import dev.bobbin.runner.journal.Journal;
import dev.bobbin.runner.sandbox.Sandbox;
import dev.bobbin.runner.sandbox.SandboxFiles;
import dev.bobbin.runner.wire.Fields;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The journals that were on disk when this server began, read back in the background so that the start does not wait.
final class Archive {
    private static final System.Logger LOG = System.getLogger(Archive.class.getName());

    private final SandboxFiles files;
    private final List<SandboxId> found;
    private final CountDownLatch complete = new CountDownLatch(1);

    /// An ended job, the size of its journal, and when it ended.
    record Entry(LocalExecution execution, long bytes, long endedMillis) {}

    /// Notes what is there now, except the sandboxes that are `live`.
    Archive(SandboxFiles files, List<SandboxId> live) throws IOException {
        this.files = files;
        this.found = new ArrayList<>(files.kept());
        found.removeAll(live);
    }

    /// Adds one that turned out not to be live; only before [#read].
    void add(SandboxId id) {
        found.add(id);
    }

    /// Reads every journal, oldest first. What never became a job is removed.
    void read(Consumer<Entry> each) {
        try {
            found.stream()
                    .map(this::entry)
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
        try {
            var contents = contents(files, id);
            if (contents.isEmpty()) {
                files.removeKept(id);
                return Optional.empty();
            }
            var meta = JobMeta.decode(contents.get().meta());
            var timeline = meta.timeline();
            var execution = new LocalExecution(
                    meta,
                    id,
                    files.journal(id),
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
                            ending(contents.get().end(), timeline));
            var journal = files.journal(id);
            return Optional.of(new Entry(
                    execution,
                    Journal.bytesOnDisk(journal),
                    Files.getLastModifiedTime(journal).toMillis()));
        } catch (IOException | UncheckedIOException e) {
            LOG.log(Level.WARNING, "what is kept of sandbox " + id + " cannot be read and is left alone", e);
            return Optional.empty();
        }
    }

    private static Ending ending(@Nullable Fields end, StartTimeline timeline) throws IOException {
        return end == null
                ? new Ending(
                        new Outcome.HostLost(),
                        Ending.Total.NOTHING,
                        Ending.Total.NOTHING,
                        Ending.Usage.UNKNOWN,
                        timeline)
                : Verdict.read(end, timeline);
    }

    /// What the journal of sandbox `id` says, or nothing if it never got a job.
    static Optional<Journal.Contents> contents(SandboxFiles files, SandboxId id) throws IOException {
        try {
            return Journal.contents(files.journal(id));
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
    }
}
