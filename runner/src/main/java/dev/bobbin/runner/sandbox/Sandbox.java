package dev.bobbin.runner.sandbox;

import dev.bobbin.runner.JobId;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.wire.Fields;
import dev.bobbin.runner.wire.FieldsWriter;
import dev.bobbin.runner.wire.FrameChannel;
import dev.bobbin.runner.wire.FrameChannel.Frame;
import dev.bobbin.runner.wire.Wire;
import dev.bobbin.runner.wire.WireException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// The isolated place where processes run on this host, seen through the control connection to its PID 1. Any thread
/// may send; one thread listens.
public final class Sandbox implements AutoCloseable {
    private final SandboxId id;
    private final FrameChannel channel;
    private final State state;
    private final Map<JobId, State> execs;
    /// Of processes of execs.
    private final Map<JobId, Listener> listeners = new ConcurrentHashMap<>();

    /// What PID 1 said of a process when we connected.
    ///
    /// @param word one of `STATE_…`
    /// @param position end of its journal
    /// @param end fields of the END record, if it has ended
    public record State(
            int word,
            long position,
            long stdinTaken,
            @Nullable Fields end) {

        /// Of one that PID 1 is about to be asked for.
        static final State FRESH = new State(Wire.STATE_PARKED, 0, 0, null);
    }

    /// What a sandbox tells of one process; called on the listening thread.
    public interface Listener {
        /// The journal now ends at `position`; `data`, if given, are its last bytes.
        void grew(long position, @Nullable ByteBuffer data);

        /// The process has ended; `end` are the fields of the journal's last record. Called at most once.
        void ended(long position, @Nullable ByteBuffer data, Fields end);

        /// The process has ended, but the record of it cannot be written at the moment, as when a disk is full;
        /// [#ended] follows once it is.
        void endedUnrecorded(long position, Fields end);

        /// So many bytes of standard input have been taken.
        void stdinTaken(long position);

        /// PID 1 could not begin it, so nothing ran and nothing follows; only of an exec.
        void refused(String problem);
    }

    private Sandbox(SandboxId id, FrameChannel channel, State state, Map<JobId, State> execs) {
        this.id = id;
        this.channel = channel;
        this.state = state;
        this.execs = Map.copyOf(execs);
    }

    /// Connects to the PID 1 of sandbox `id` and waits until it is parked or further.
    ///
    /// @throws SandboxException if parking failed
    public static Sandbox connect(SandboxFiles files, SandboxId id) throws IOException {
        var channel = FrameChannel.connect(files.control(id));
        try {
            var first = next(channel, id);
            var state = state(id, first);
            var execs = new HashMap<JobId, State>();
            for (var left = first.u32(Wire.FIELD_EXECS).orElse(0); left > 0; left--) {
                var each = next(channel, id);
                execs.put(exec(each).orElseThrow(() -> new WireException("a process without a name")), state(id, each));
            }
            return new Sandbox(id, channel, state, execs);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private static Fields next(FrameChannel channel, SandboxId id) throws IOException {
        var frame = channel.receive();
        if (frame == null) {
            throw new SandboxException("sandbox " + id + " ended before it was ready");
        }
        if (frame.type() != Wire.FRAME_STATE) {
            throw new WireException("a sandbox began with a frame of type " + frame.type());
        }
        return frame.fields();
    }

    private static State state(SandboxId id, Fields fields) throws IOException {
        var word = fields.requireU32(Wire.FIELD_STATE);
        if (word == Wire.STATE_FAILED) {
            throw new SandboxException("prepare sandbox " + id + ": " + problem(fields));
        }
        var end = fields.bytes(Wire.FIELD_END);
        return new State(
                word,
                fields.requireU64(Wire.FIELD_POSITION),
                fields.u64(Wire.FIELD_STDIN_TAKEN).orElse(0),
                end.isPresent() ? Fields.decode(end.get()) : null);
    }

    /// Which process a frame is about; nothing for the sandbox's own.
    private static Optional<JobId> exec(Fields fields) throws WireException {
        var text = fields.text(Wire.FIELD_EXEC);
        if (text.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(
                JobId.parse(text.get()).orElseThrow(() -> new WireException("a process named " + text.get())));
    }

    /// The sentence that the fields WHAT and ERRNO make.
    public static String problem(Fields fields) throws WireException {
        return fields.text(Wire.FIELD_WHAT).orElse("unknown step") + " (errno "
                + fields.u32(Wire.FIELD_ERRNO).orElse(0) + ")";
    }

    public SandboxId id() {
        return id;
    }

    public State state() {
        return state;
    }

    /// Processes of execs that PID 1 knew when we connected: they run, or their end is not recorded.
    public Map<JobId, State> execs() {
        return execs;
    }

    /// The sandbox's own process, or the sandbox itself while it idles.
    public SandboxProcess own() {
        return new SandboxProcess(channel, null, state);
    }

    /// The process of an exec, known when we connected or about to be asked for.
    public SandboxProcess exec(JobId exec) {
        return new SandboxProcess(channel, exec, execs.getOrDefault(exec, State.FRESH));
    }

    /// Gives the one order, made by [Order].
    public void order(ByteBuffer order) throws IOException {
        channel.send(order);
    }

    /// Asks for one more process; `listener` hears of it from now on.
    public void exec(JobId exec, ByteBuffer order, Listener listener) throws IOException {
        listeners.put(exec, listener);
        channel.send(order);
    }

    /// Lets `listener` hear of a process that PID 1 knew when we connected; before [#listen].
    public void attach(JobId exec, Listener listener) {
        listeners.put(exec, listener);
    }

    /// Sends the own process a signal, or everything if there is none, and after `grace` kills what is left, as
    /// cancelled by `by`. PID 1 keeps the time.
    public void stop(int signal, Duration grace, String by) throws IOException {
        channel.send(new FieldsWriter()
                .u32(Wire.FIELD_SIGNAL, signal)
                .u64(Wire.FIELD_GRACE_MILLIS, grace.toMillis())
                .text(Wire.FIELD_BY, by)
                .frame(Wire.FRAME_STOP));
    }

    /// Listens until the sandbox's own process has ended, or PID 1 closes the connection because it exits.
    ///
    /// @param own hears of that process
    public void listen(Listener own) throws IOException {
        for (var frame = channel.receive(); frame != null; frame = channel.receive()) {
            var exec = exec(frame.fields());
            if (exec.isEmpty()) {
                if (tell(own, frame)) {
                    return;
                }
                continue;
            }
            var listener = listeners.get(exec.get());
            if (listener != null && tell(listener, frame)) {
                listeners.remove(exec.get());
            }
        }
    }

    /// Whether that was the last of this process.
    private static boolean tell(Listener listener, Frame frame) throws IOException {
        var fields = frame.fields();
        switch (frame.type()) {
            case Wire.FRAME_GREW -> {
                var position = fields.requireU64(Wire.FIELD_POSITION);
                var data = fields.bytes(Wire.FIELD_DATA).orElse(null);
                var end = fields.bytes(Wire.FIELD_END);
                if (end.isPresent()) {
                    listener.ended(position, data, Fields.decode(end.get()));
                    return true;
                }
                listener.grew(position, data);
            }
            case Wire.FRAME_STATE -> {
                if (fields.requireU32(Wire.FIELD_STATE) == Wire.STATE_FAILED) {
                    listener.refused(problem(fields));
                    return true;
                }
                var end = fields.bytes(Wire.FIELD_END);
                if (end.isPresent()) {
                    listener.endedUnrecorded(fields.requireU64(Wire.FIELD_POSITION), Fields.decode(end.get()));
                }
            }
            case Wire.FRAME_STDIN_TAKEN -> listener.stdinTaken(fields.requireU64(Wire.FIELD_POSITION));
            default -> throw new WireException("a sandbox sent a frame of type " + frame.type());
        }
        return false;
    }

    /// Whether it was not closed here.
    public boolean isOpen() {
        return channel.isOpen();
    }

    @Override
    public void close() {
        channel.close();
    }
}
