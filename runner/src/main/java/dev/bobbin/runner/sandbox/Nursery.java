package dev.bobbin.runner.sandbox;

import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.wire.FieldsWriter;
import dev.bobbin.runner.wire.FrameChannel;
import dev.bobbin.runner.wire.Wire;
import dev.bobbin.runner.wire.WireException;
import java.io.File;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The one native process that makes this host's sandboxes. Found again after a restart of the server, started anew
/// when it is gone. Safe for many threads.
public final class Nursery implements AutoCloseable {
    /* Its directory is named after everything it was started with, its program included: a server with another build or
     * other directories starts a nursery of its own beside the old one, which ends after its last sandbox. The process
     * outlives the server on purpose; whatever it says is read by one virtual thread per connection. */

    private static final System.Logger LOG = System.getLogger(Nursery.class.getName());
    private static final long START_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long BUSY_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long BUSY_RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
    private static final long ANSWER_SECONDS = 10;
    private static final int LONGEST_COMPLAINT = 2000;
    private static final int EBUSY = 16;

    private final Path directory;
    private final List<String> command;
    private final Path log;
    private final FormerNurseries former;
    private final Listener listener;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<SandboxId, CompletableFuture<Optional<Spawned>>> spawning = new ConcurrentHashMap<>();
    /// Ranges of user ids of sandboxes that last; told to every nursery that we come to.
    private final Set<Integer> kept = ConcurrentHashMap.newKeySet();
    /// Being made anew, which begins when nothing is left of what they were before: that its death is told only now
    /// concerns nobody, and must not be taken for the death of the new one.
    private final Set<SandboxId> anew = ConcurrentHashMap.newKeySet();
    private @Nullable FrameChannel channel;
    private @Nullable Thread listening;
    private volatile boolean closed;

    /// What the nursery tells, on the thread that reads it: must not block.
    public interface Listener {
        /// A PID 1 was reaped with this status of wait(2).
        ///
        /// @param left whether its cgroups and its socket are still there, for the caller to remove
        void gone(SandboxId id, int status, boolean left);

        /// The nursery itself ended: nobody tells any more of sandboxes that it made.
        void lost();
    }

    /// What the nursery made.
    ///
    /// @param pid this machine's number of PID 1
    /// @param uidBase its range of user ids
    record Spawned(int pid, int uidBase) {}

    private Nursery(Path directory, List<String> command, Path log, FormerNurseries former, Listener listener) {
        this.directory = directory;
        this.command = command;
        this.log = log;
        this.former = former;
        this.listener = listener;
    }

    /// Finds or starts the nursery.
    ///
    /// @param init the program, as [InitBinary] lays it down
    /// @param settings arguments of the init besides its own directories
    public static Nursery open(SandboxFiles files, Path init, List<String> settings, Listener listener)
            throws IOException {
        var arguments = new ArrayList<>(List.of(
                "--run-dir",
                files.runDir().toString(),
                "--data-dir",
                files.dataDir().toString()));
        arguments.addAll(settings);
        var name = HexFormat.of()
                .formatHex(
                        InitBinary.sha256(
                                (init + "\0" + String.join("\0", arguments)).getBytes(StandardCharsets.UTF_8)),
                        0,
                        6);
        var directory = files.runDir().resolve(FormerNurseries.PREFIX + name);
        Files.createDirectories(
                directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Files.createDirectories(
                files.sandboxes(), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        var command = new ArrayList<>(List.of(
                init.toString(),
                "--control",
                directory.resolve(FormerNurseries.CONTROL).toString()));
        command.addAll(arguments);
        var former = FormerNurseries.beside(directory);
        var nursery = new Nursery(directory, command, files.runDir().resolve("nursery.log"), former, listener);
        nursery.connected();
        return nursery;
    }

    /// Makes one sandbox; when this returns its PID 1 exists and its control socket accepts.
    ///
    /// @param network whether it has the machine's own is decided here
    Spawned spawn(SandboxId id, Network network) throws InterruptedException {
        return spawn(id, network(new FieldsWriter().text(Wire.FIELD_ID, id.toString()), network))
                .orElseThrow(() ->
                        new SandboxException("make sandbox " + id + ": the nursery is busy with another of that name"));
    }

    private static FieldsWriter network(FieldsWriter fields, Network network) {
        return network instanceof Network.Host ? fields.empty(Wire.FIELD_HOST_NETWORK) : fields;
    }

    /// Makes one sandbox that lasts, with the files that it had before.
    ///
    /// @param journal of its own process
    /// @param uidBase its range of user ids, 0 to choose one
    /// @return what was made, whose range of user ids stays claimed until [#free]
    Spawned spawn(SandboxId id, JobId journal, int uidBase, Network network) throws InterruptedException {
        anew.add(id);
        try {
            var spawned = ask(id, journal, uidBase, network);
            for (var left = BUSY_NANOS; spawned.isEmpty() && left > 0; left -= BUSY_RETRY_NANOS) {
                TimeUnit.NANOSECONDS.sleep(BUSY_RETRY_NANOS);
                spawned = ask(id, journal, uidBase, network);
            }
            var made = spawned.orElseThrow(
                    () -> new SandboxException("make sandbox " + id + ": what it was before is not gone"));
            kept.add(made.uidBase());
            return made;
        } finally {
            anew.remove(id);
        }
    }

    private Optional<Spawned> ask(SandboxId id, JobId journal, int uidBase, Network network)
            throws InterruptedException {
        var fields = network(
                new FieldsWriter().text(Wire.FIELD_ID, id.toString()).text(Wire.FIELD_JOURNAL, journal.toString()),
                network);
        return spawn(id, uidBase == 0 ? fields : fields.u32(Wire.FIELD_UID_BASE, uidBase));
    }

    private Optional<Spawned> spawn(SandboxId id, FieldsWriter fields) throws InterruptedException {
        var answer = new CompletableFuture<Optional<Spawned>>();
        spawning.put(id, answer);
        try {
            send(fields.frame(Wire.FRAME_SPAWN));
            return answer.get(ANSWER_SECONDS, TimeUnit.SECONDS);
        } catch (IOException e) {
            throw new SandboxException("ask the nursery for sandbox " + id, e);
        } catch (ExecutionException e) {
            throw new SandboxException("make sandbox " + id + ": " + e.getMessage(), e);
        } catch (TimeoutException e) {
            destroy(id); // nobody waits for it any more, so it must not be left when it comes
            throw new SandboxException("the nursery did not answer within " + ANSWER_SECONDS + " s", e);
        } catch (InterruptedException e) {
            destroy(id);
            throw e;
        } finally {
            spawning.remove(id);
        }
    }

    /// Claims the range of user ids of a sandbox that lasts, whether it runs or not.
    public void keep(int uidBase) {
        kept.add(uidBase);
        former.free(uidBase);
        tell(new FieldsWriter().u32(Wire.FIELD_UID_BASE, uidBase).frame(Wire.FRAME_KEEP), "keep user ids");
    }

    /// Gives the range of user ids of a sandbox back that is no more.
    public void free(int uidBase) {
        kept.remove(uidBase);
        tell(new FieldsWriter().u32(Wire.FIELD_UID_BASE, uidBase).frame(Wire.FRAME_FREE), "free user ids");
    }

    /// Kills a sandbox outright, whatever state it is in.
    public void destroy(SandboxId id) {
        tell(new FieldsWriter().text(Wire.FIELD_ID, id.toString()).frame(Wire.FRAME_DESTROY), "destroy sandbox " + id);
    }

    private void tell(ByteBuffer frame, String what) {
        try {
            send(frame);
        } catch (IOException e) {
            LOG.log(Level.WARNING, "cannot reach the nursery to " + what + ": " + e.getMessage());
        }
    }

    /// An interrupt would close the channel, which is not only its own thread's, so it has to wait.
    private void send(ByteBuffer frame) throws IOException {
        var interrupted = Thread.interrupted();
        try {
            var to = connected();
            try {
                to.send(frame.duplicate());
            } catch (ClosedByInterruptException _) { // it came just now
                interrupted = Thread.interrupted();
                forget(to);
                connected().send(frame.duplicate());
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void forget(FrameChannel lost) {
        lock.lock();
        try {
            if (channel == lost) {
                channel = null;
            }
        } finally {
            lock.unlock();
        }
    }

    /// Whether a connection stands.
    public boolean alive() {
        lock.lock();
        try {
            return channel != null;
        } finally {
            lock.unlock();
        }
    }

    private FrameChannel connected() throws IOException {
        lock.lock();
        try {
            if (closed) {
                throw new IOException("the nursery is closed");
            }
            if (channel == null) {
                var fresh = reach();
                for (var uidBase : kept) {
                    fresh.send(
                            new FieldsWriter().u32(Wire.FIELD_UID_BASE, uidBase).frame(Wire.FRAME_KEEP));
                }
                channel = fresh;
                listening = Thread.ofVirtual().name("nursery").start(() -> listen(fresh));
            }
            return channel;
        } finally {
            lock.unlock();
        }
    }

    private FrameChannel reach() throws IOException {
        var socket = directory.resolve(FormerNurseries.CONTROL);
        try {
            return FrameChannel.connect(socket);
        } catch (IOException _) {
            return start(socket);
        }
    }

    private FrameChannel start(Path socket) throws IOException {
        var builder = new ProcessBuilder(command)
                .directory(new File("/"))
                .redirectInput(new File("/dev/null"))
                .redirectOutput(new File("/dev/null"))
                .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()));
        builder.environment().clear();
        var complaintsFrom = Files.exists(log) ? Files.size(log) : 0;
        var started = builder.start();
        var deadline = System.nanoTime() + START_NANOS;
        while (true) {
            try {
                return FrameChannel.connect(socket);
            } catch (IOException e) {
                if (!started.isAlive() || System.nanoTime() > deadline) {
                    started.destroyForcibly();
                    throw new IOException("start the nursery: " + complaint(complaintsFrom), e);
                }
            }
            LockSupport.parkNanos(RETRY_NANOS);
        }
    }

    /// What the process wrote to its log before it ended.
    private String complaint(long from) throws IOException {
        try (var in = Files.newInputStream(log)) {
            in.skipNBytes(from);
            var text = new String(in.readNBytes(LONGEST_COMPLAINT), StandardCharsets.UTF_8).trim();
            return text.isEmpty() ? "it ended without a word" : text;
        }
    }

    private void listen(FrameChannel from) {
        try (from) {
            for (var frame = from.receive(); frame != null; frame = from.receive()) {
                var fields = frame.fields();
                var id = SandboxId.parse(fields.requireText(Wire.FIELD_ID))
                        .orElseThrow(() -> new WireException("the nursery named no sandbox"));
                switch (frame.type()) {
                    case Wire.FRAME_SPAWNED ->
                        spawned(
                                id,
                                new Spawned(fields.requireU32(Wire.FIELD_PID), fields.requireU32(Wire.FIELD_UID_BASE)));
                    case Wire.FRAME_REFUSED ->
                        refused(id, fields.requireU32(Wire.FIELD_ERRNO), fields.requireText(Wire.FIELD_WHAT));
                    case Wire.FRAME_GONE -> {
                        if (!anew.contains(id)) {
                            listener.gone(id, fields.requireU32(Wire.FIELD_STATUS), fields.has(Wire.FIELD_LEFT));
                        }
                    }
                    default -> throw new WireException("the nursery sent a frame of type " + frame.type());
                }
            }
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "the nursery's connection broke", e);
        } finally {
            lost(from);
        }
    }

    private void spawned(SandboxId id, Spawned made) {
        anew.remove(id);
        var waiting = spawning.get(id);
        if (waiting != null) {
            waiting.complete(Optional.of(made));
        }
    }

    private void refused(SandboxId id, int errno, String what) {
        var waiting = spawning.get(id);
        if (waiting == null) {
            return;
        }
        if (errno == EBUSY) {
            waiting.complete(Optional.empty());
        } else {
            waiting.completeExceptionally(new IOException("make a sandbox: " + what + ": errno " + errno));
        }
    }

    private void lost(FrameChannel connection) {
        forget(connection);
        if (!closed) {
            LOG.log(Level.WARNING, "the nursery is gone; running sandboxes go on, the next start makes a new one");
        }
        spawning.values().forEach(waiting -> waiting.completeExceptionally(new IOException("the nursery ended")));
        listener.lost();
    }

    /// Lets go of the nursery, which ends by itself after its last sandbox.
    @Override
    public void close() {
        former.close();
        lock.lock();
        try {
            closed = true;
            if (channel != null) {
                channel.close();
            }
        } finally {
            lock.unlock();
        }
    }

    /// Ends the nursery, which has no sandbox left, and waits until it has gone.
    public void retire(Duration timeout) throws InterruptedException {
        Thread waiting;
        lock.lock();
        try {
            closed = true;
            if (channel == null || listening == null) {
                return;
            }
            channel.send(new FieldsWriter().frame(Wire.FRAME_RETIRE));
            waiting = listening;
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "the nursery was gone already", e);
            return;
        } finally {
            lock.unlock();
        }
        waiting.join(timeout);
    }
}
