package dev.bobbin.runner.host;

import dev.bobbin.runner.FilesException;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.Output;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;

/// One piece of work on a sandbox's files: a process that reads or answers, and says in one line what it cannot do.
final class FileWork {
    private static final int SIGTERM = 15;
    private static final int LONGEST_COMPLAINT = 4096;
    private static final int CHUNK = 256 * 1024;

    private final LocalExecution execution;
    private final ByteArrayOutputStream complaint = new ByteArrayOutputStream();
    private long fed;

    /// What is given to the process.
    interface Source {
        void into(OutputStream process) throws IOException;
    }

    FileWork(LocalExecution execution) {
        this.execution = execution;
    }

    /// Gives what it answers to `to`.
    void read(OutputStream to) throws IOException, InterruptedException {
        try {
            follow(to);
        } catch (IOException | InterruptedException e) {
            execution.cancel("api");
            throw e;
        }
        check();
    }

    private void follow(OutputStream to) throws IOException, InterruptedException {
        execution.read(0, true, output -> {
            if (output instanceof Output.Bytes bytes) {
                if (bytes.stream() == Output.Stream.STDOUT) {
                    to.write(bytes.copy());
                } else if (complaint.size() < LONGEST_COMPLAINT) {
                    complaint.writeBytes(bytes.copy());
                }
            }
        });
    }

    /// Gives it what `source` has. If that fails, or is more than there is room for, nothing of a file that is not
    /// whole stays.
    void feed(Source source, DiskRoom room) throws IOException, InterruptedException {
        try (var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
            var following = tasks.submit(() -> {
                follow(OutputStream.nullOutputStream());
                return null;
            });
            try (var feed = new Feed(room)) {
                source.into(feed);
            } catch (Ended _) {
                // why follows from its end
            } catch (IOException | RuntimeException e) {
                execution.signal(SIGTERM);
                end();
                following.get();
                throw e;
            }
            end();
            following.get();
        } catch (InterruptedException e) {
            execution.cancel("api");
            throw e;
        } catch (ExecutionException e) {
            throw new FilesException(FilesException.Reason.UNAVAILABLE, "the answer cannot be read: " + e.getCause());
        }
        check();
    }

    /// Says that nothing more comes, even if somebody interrupts: the process would wait for ever.
    private void end() throws IOException, InterruptedException {
        var interrupted = Thread.interrupted();
        try {
            execution.feed(fed, new byte[0], true);
        } catch (IllegalArgumentException _) {
            // it has ended already
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void check() throws FilesException {
        var outcome = execution.ending().orElseThrow().outcome();
        if (outcome instanceof Outcome.Exited(var code) && code == 0) {
            return;
        }
        var line = complaint.toString(StandardCharsets.UTF_8).strip();
        var space = line.indexOf(' ');
        if (outcome instanceof Outcome.Exited && space > 0) {
            throw new FilesException(FilesException.reason(line.substring(0, space)), line.substring(space + 1));
        }
        throw new FilesException(
                FilesException.Reason.UNAVAILABLE, "the work on its files ended as " + outcome.cause() + " " + line);
    }

    /// The process's standard input.
    private final class Feed extends OutputStream {
        private final DiskRoom room;
        private final byte[] chunk = new byte[CHUNK];
        private int filled;

        Feed(DiskRoom room) {
            this.room = room;
        }

        @Override
        public void write(int value) throws IOException {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int from, int length) throws IOException {
            for (var done = 0; done < length; ) {
                var some = Math.min(length - done, CHUNK - filled);
                System.arraycopy(bytes, from + done, chunk, filled, some);
                filled += some;
                done += some;
                if (filled == CHUNK) {
                    flush();
                }
            }
        }

        @Override
        public void flush() throws IOException {
            if (filled == 0) {
                return;
            }
            room.take(filled);
            try {
                var taken = execution.feed(fed, Arrays.copyOf(chunk, filled), false);
                fed += filled;
                filled = 0;
                if (taken < fed) {
                    throw new Ended();
                }
            } catch (IllegalArgumentException _) {
                throw new Ended();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", e);
            }
        }

        @Override
        public void close() throws IOException {
            flush();
        }
    }

    /// The process has ended before it took everything.
    private static final class Ended extends IOException {
        private static final long serialVersionUID = 1;
    }
}
