package dev.bobbin.runner.sandbox;

import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.wire.Fields;
import dev.bobbin.runner.wire.FieldsWriter;
import dev.bobbin.runner.wire.FrameChannel;
import dev.bobbin.runner.wire.FrameChannel.Frame;
import dev.bobbin.runner.wire.Wire;
import dev.bobbin.runner.wire.WireException;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// The isolated place where processes run on this host, seen through the control connection to its PID 1. Any thread
/// may send; one thread listens.
public final class Sandbox implements AutoCloseable {
    private final SandboxId id;
    private final FrameChannel channel;
    private final State state;

    /// What PID 1 said when we connected.
    ///
    /// @param word one of `STATE_…`
    /// @param position end of the journal
    /// @param end fields of the END record, if the job has ended
    public record State(
            int word,
            long position,
            long stdinTaken,
            @Nullable Fields end) {}

    /// What a sandbox tells while a job runs in it; called on the listening thread.
    public interface Listener {
        /// The journal now ends at `position`; `data`, if given, are its last bytes.
        void grew(long position, @Nullable ByteBuffer data);

        /// The job has ended; `end` are the fields of the journal's last record. Called at most once.
        void ended(long position, @Nullable ByteBuffer data, Fields end);

        /// The job has ended, but the record of it cannot be written at the moment, as when a disk is full. [#ended]
        /// follows once it is.
        void endedUnrecorded(long position, Fields end);

        /// So many bytes of standard input have been taken.
        void stdinTaken(long position);
    }

    private Sandbox(SandboxId id, FrameChannel channel, State state) {
        this.id = id;
        this.channel = channel;
        this.state = state;
    }

    /// Connects to the PID 1 of sandbox `id` and waits until it is parked or further.
    ///
    /// @throws SandboxException if parking failed
    public static Sandbox connect(SandboxFiles files, SandboxId id) throws IOException {
        var channel = FrameChannel.connect(files.control(id));
        try {
            var first = channel.receive();
            if (first == null) {
                throw new SandboxException("sandbox " + id + " ended before it was ready");
            }
            return new Sandbox(id, channel, state(id, first));
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private static State state(SandboxId id, Frame frame) throws IOException {
        if (frame.type() != Wire.FRAME_STATE) {
            throw new WireException("a sandbox began with a frame of type " + frame.type());
        }
        var fields = frame.fields();
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

    /// Gives the one order, made by [Order].
    public void order(ByteBuffer order) throws IOException {
        channel.send(order);
    }

    /// Kills everything in it; the end says so, with the word `by`.
    public void cancel(String by) throws IOException {
        channel.send(new FieldsWriter().text(Wire.FIELD_BY, by).frame(Wire.FRAME_CANCEL));
    }

    /// Says that every reader has read the journal up to `position`.
    public void consumed(long position) throws IOException {
        channel.send(new FieldsWriter().u64(Wire.FIELD_POSITION, position).frame(Wire.FRAME_CONSUMED));
    }

    /// Sends bytes of standard input; see `FRAME_STDIN`.
    public void stdin(long position, byte[] data, boolean last) throws IOException {
        var frame = new FieldsWriter().u64(Wire.FIELD_POSITION, position).bytes(Wire.FIELD_DATA, data);
        channel.send((last ? frame.empty(Wire.FIELD_LAST) : frame).frame(Wire.FRAME_STDIN));
    }

    /// Says that the end is known here: PID 1 exits. Of a parked sandbox: it is not needed.
    public void recorded() throws IOException {
        channel.send(new FieldsWriter().frame(Wire.FRAME_RECORDED));
    }

    /// Listens until the job has ended, or PID 1 closes the connection because it exits.
    public void listen(Listener listener) throws IOException {
        for (var frame = channel.receive(); frame != null; frame = channel.receive()) {
            var fields = frame.fields();
            switch (frame.type()) {
                case Wire.FRAME_GREW -> {
                    var position = fields.requireU64(Wire.FIELD_POSITION);
                    var data = fields.bytes(Wire.FIELD_DATA).orElse(null);
                    var end = fields.bytes(Wire.FIELD_END);
                    if (end.isPresent()) {
                        listener.ended(position, data, Fields.decode(end.get()));
                        return;
                    }
                    listener.grew(position, data);
                }
                case Wire.FRAME_STATE -> {
                    var now = state(id, frame);
                    if (now.end() != null) {
                        listener.endedUnrecorded(now.position(), now.end());
                    }
                }
                case Wire.FRAME_STDIN_TAKEN -> listener.stdinTaken(fields.requireU64(Wire.FIELD_POSITION));
                default -> throw new WireException("a sandbox sent a frame of type " + frame.type());
            }
        }
    }

    @Override
    public void close() {
        channel.close();
    }
}
