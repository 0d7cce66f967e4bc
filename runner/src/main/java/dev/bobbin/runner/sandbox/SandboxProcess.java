package dev.bobbin.runner.sandbox;

import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Terminal;
import dev.bobbin.runner.wire.FieldsWriter;
import dev.bobbin.runner.wire.FrameChannel;
import dev.bobbin.runner.wire.Wire;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// One process in a sandbox, seen through the connection to its PID 1: the sandbox's own, or one more of an exec. Any
/// thread may send.
public final class SandboxProcess {
    private final FrameChannel channel;
    private final @Nullable JobId exec;
    private final Sandbox.State state;

    SandboxProcess(FrameChannel channel, @Nullable JobId exec, Sandbox.State state) {
        this.channel = channel;
        this.exec = exec;
        this.state = state;
    }

    /// What PID 1 said of it when we connected.
    public Sandbox.State state() {
        return state;
    }

    private FieldsWriter about() {
        var fields = new FieldsWriter();
        return exec == null ? fields : fields.text(Wire.FIELD_EXEC, exec.toString());
    }

    /// Kills it and what it started, of the sandbox's own process everything in the sandbox; the end says so, with the
    /// word `by`.
    public void cancel(String by) throws IOException {
        channel.send(about().text(Wire.FIELD_BY, by).frame(Wire.FRAME_CANCEL));
    }

    /// Sends it a signal; of a sandbox that idles, every process in it.
    public void signal(int number) throws IOException {
        channel.send(about().u32(Wire.FIELD_SIGNAL, number).frame(Wire.FRAME_SIGNAL));
    }

    /// Gives its terminal another size.
    public void resize(Terminal size) throws IOException {
        channel.send(about().u32(Wire.FIELD_ROWS, size.rows())
                .u32(Wire.FIELD_COLUMNS, size.columns())
                .frame(Wire.FRAME_RESIZE));
    }

    /// Says that every reader has read its journal up to `position`.
    public void consumed(long position) throws IOException {
        channel.send(about().u64(Wire.FIELD_POSITION, position).frame(Wire.FRAME_CONSUMED));
    }

    /// Sends bytes of standard input; see `FRAME_STDIN`.
    public void stdin(long position, byte[] data, boolean last) throws IOException {
        var frame = about().u64(Wire.FIELD_POSITION, position).bytes(Wire.FIELD_DATA, data);
        channel.send((last ? frame.empty(Wire.FIELD_LAST) : frame).frame(Wire.FRAME_STDIN));
    }

    /// Says that its end is known here. PID 1 forgets it; after the sandbox's own process it exits.
    public void recorded() throws IOException {
        channel.send(about().frame(Wire.FRAME_RECORDED));
    }
}
