package dev.bobbin.scheduler.http.terminal;

import dev.bobbin.runner.Ending;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.OutputSink;
import dev.bobbin.scheduler.http.exchange.RawConnection;
import dev.bobbin.scheduler.http.exchange.Streamed.ClientGone;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A job's terminal as a plain stream of bytes: what it shows goes to the client as it is, what the client sends is
/// typed. The end of the job is the end of the connection.
public final class RawTerminal {
    /* The end of what a client sends, be it that it has gone or that it only sends no more, looks the same, and nobody can
     * tell before something is written to it. Of a viewer it means that it leaves. If the job is tied to the client, it is
     * the end of the input, as a pipe into a terminal program would have it, and what the job shows is still sent;
     * if that cannot be sent, the client has gone, and the job ends. */

    private static final int GATHERED = 16 * 1024;
    private static final byte END_OF_INPUT = 4;

    private final RawConnection connection;
    private final Execution job;
    private final boolean tied;
    private final @Nullable Duration patience;
    private final CountDownLatch over = new CountDownLatch(1);
    private final Keyboard keyboard;
    private final Attention attention = new Attention();

    private RawTerminal(RawConnection connection, Execution job, boolean tied, @Nullable Duration patience) {
        this.connection = connection;
        this.job = job;
        this.tied = tied;
        this.patience = patience;
        this.keyboard = new Keyboard(job);
    }

    /// Serves the terminal on the calling thread, until the job has ended or the client has gone.
    ///
    /// @param from the position in the journal at which to begin
    /// @param tied whether the job ends with its client
    /// @param tail what is said behind the job's last output
    public static void serve(
            RawConnection connection, Execution job, long from, boolean tied, Function<Ending, byte[]> tail)
            throws IOException, InterruptedException {
        new RawTerminal(connection, job, tied, null).serve(from, tail);
    }

    /// Serves all of the terminal of a job that is tied to a client of the kind that has gone once it sends no more.
    ///
    /// @param patience how long the job may then still take to end by itself
    public static void serve(RawConnection connection, Execution job, Duration patience, Function<Ending, byte[]> tail)
            throws IOException, InterruptedException {
        new RawTerminal(connection, job, true, patience).serve(0, tail);
    }

    private void serve(long from, Function<Ending, byte[]> tail) throws IOException, InterruptedException {
        Thread.ofVirtual().name("terminal-" + job.id()).start(this::listen);
        try {
            if (attention.pay(() -> job.read(from, true, new Screen()))) {
                connection.write(tail.apply(job.ending().orElseThrow()));
            }
        } catch (ClientGone e) {
            if (tied) {
                job.cancel("client");
            }
            throw e;
        } finally {
            over.countDown();
            keyboard.leave();
        }
    }

    private void listen() {
        var last = (byte) '\n';
        for (var keys = connection.read(); keys.length > 0; keys = connection.read()) {
            last = keys[keys.length - 1];
            keyboard.type(keys);
        }
        if (!tied) {
            attention.end();
        } else if (last == '\n' || last == '\r') {
            keyboard.type(new byte[] {END_OF_INPUT});
        } else {
            // the first ends a line that has none, the second the input
            keyboard.type(new byte[] {END_OF_INPUT, END_OF_INPUT});
        }
        if (patience != null) {
            endLate(patience);
        }
    }

    private void endLate(Duration after) {
        try {
            if (!over.await(after.toNanos(), TimeUnit.NANOSECONDS)) {
                job.cancel("client");
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private final class Screen implements OutputSink {
        private final ByteArrayOutputStream gathered = new ByteArrayOutputStream();

        @Override
        public void accept(Output output) throws IOException {
            if (output instanceof Output.Bytes bytes) {
                gathered.writeBytes(bytes.copy());
                if (gathered.size() >= GATHERED) {
                    flush();
                }
            }
        }

        @Override
        public void flush() throws IOException {
            if (gathered.size() > 0) {
                connection.write(gathered.toByteArray());
                gathered.reset();
            }
        }
    }
}
