package dev.bobbin.runner.build;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/// Passes on no more than the disk of a build has room for.
final class BoundedOutput extends FilterOutputStream {
    private final long most;
    private final int line;
    private long left;

    /// @param line of the recipe, that messages name
    BoundedOutput(OutputStream out, long most, int line) {
        super(out);
        this.most = most;
        this.left = most;
        this.line = line;
    }

    @Override
    public void write(int single) throws IOException {
        write(new byte[] {(byte) single}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        left -= length;
        if (left < 0) {
            throw full(most, line);
        }
        out.write(bytes, offset, length);
    }

    /// Says that there is no more room.
    static BuildException full(long most, int line) {
        return new BuildException(
                BuildException.Problem.STEP,
                line,
                "its files take more than the " + most + " bytes of disk that the build has");
    }
}
