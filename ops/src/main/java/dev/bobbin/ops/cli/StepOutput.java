package dev.bobbin.ops.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// All that one step of a build printed, in memory as long as it is little, else in an unnamed file; without a file
/// only
/// the end of it. It is kept while the step runs, since it is shown whole if the step fails.
final class StepOutput implements AutoCloseable {
    static final int LITTLE = 256 * 1024;

    private final Aside aside;
    private ByteArrayOutputStream little = new ByteArrayOutputStream();
    private @Nullable FileChannel much;
    private @Nullable IOException lost;

    /// Opens an empty file for what is much.
    @FunctionalInterface
    interface Aside {
        FileChannel open() throws IOException;
    }

    StepOutput() {
        this(StepOutput::unnamed);
    }

    StepOutput(Aside aside) {
        this.aside = aside;
    }

    private static FileChannel unnamed() throws IOException {
        return FileChannel.open(
                Files.createTempFile("bobbin-build", ".log"),
                StandardOpenOption.READ,
                StandardOpenOption.WRITE,
                StandardOpenOption.DELETE_ON_CLOSE);
    }

    void add(byte[] line) {
        little.writeBytes(line);
        little.write('\n');
        if (lost == null && little.size() > LITTLE) {
            try {
                putAside();
            } catch (IOException e) {
                lost = e;
                closeFile();
            }
        }
        if (little.size() > 2 * LITTLE) {
            keepTheEnd();
        }
    }

    private void putAside() throws IOException {
        var file = much;
        if (file == null) {
            file = aside.open();
            much = file;
        }
        little.writeTo(Channels.newOutputStream(file));
        little.reset();
    }

    /// From the beginning of a line, where there is one.
    private void keepTheEnd() {
        var all = little.toByteArray();
        var least = Math.max(0, all.length - LITTLE);
        var from = least;
        while (from > 0 && from < all.length && all[from - 1] != '\n') {
            from++;
        }
        from = from == all.length ? least : from;
        little.reset();
        little.write(all, from, all.length - from);
    }

    void writeTo(OutputStream out) throws IOException {
        if (lost != null) {
            keepTheEnd();
        }
        if (much != null) {
            much.position(0);
            Channels.newInputStream(much).transferTo(out);
        }
        little.writeTo(out);
    }

    /// Why the beginning of it is not here, if so.
    Optional<String> lost() {
        return Optional.ofNullable(lost).map(why -> why.getMessage() == null ? why.toString() : why.getMessage());
    }

    @Override
    public void close() {
        little = new ByteArrayOutputStream();
        closeFile();
    }

    private void closeFile() {
        try {
            if (much != null) {
                much.close();
            }
        } catch (IOException _) {
            // it goes with this process
        }
        much = null;
    }
}
