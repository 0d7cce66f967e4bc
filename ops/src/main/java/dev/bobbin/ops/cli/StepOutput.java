package dev.bobbin.ops.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/// All that one step of a build printed, in memory as long as it is little, else in an unnamed file. It is kept while
/// the step runs, since it is shown whole if the step fails.
final class StepOutput implements AutoCloseable {
    private static final int LITTLE = 256 * 1024;

    private ByteArrayOutputStream little = new ByteArrayOutputStream();
    private @Nullable FileChannel much;

    void add(byte[] line) {
        little.writeBytes(line);
        little.write('\n');
        if (little.size() > LITTLE) {
            try {
                putAside();
            } catch (IOException e) {
                throw new UncheckedIOException("keep what a step prints", e);
            }
        }
    }

    private void putAside() throws IOException {
        var file = much;
        if (file == null) {
            file = FileChannel.open(
                    Files.createTempFile("bobbin-build", ".log"),
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE,
                    StandardOpenOption.DELETE_ON_CLOSE);
            much = file;
        }
        little.writeTo(Channels.newOutputStream(file));
        little.reset();
    }

    void writeTo(OutputStream out) throws IOException {
        if (much != null) {
            much.position(0);
            Channels.newInputStream(much).transferTo(out);
        }
        little.writeTo(out);
    }

    @Override
    public void close() {
        little = new ByteArrayOutputStream();
        try {
            if (much != null) {
                much.close();
            }
        } catch (IOException _) {
            // it goes with this process
        }
    }
}
