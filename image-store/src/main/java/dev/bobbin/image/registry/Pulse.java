package dev.bobbin.image.registry;

import dev.bobbin.image.Descriptor;
import dev.bobbin.image.PullProgress;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.function.Consumer;

/// Tells how far the sending of a blob has come, at most ten times a second.
final class Pulse {
    private static final long PAUSE_NANOS = 100_000_000;

    private final Descriptor blob;
    private final Consumer<PullProgress> progress;
    private long last = System.nanoTime();

    Pulse(Descriptor blob, Consumer<PullProgress> progress) {
        this.blob = blob;
        this.progress = progress;
    }

    /// The same bytes, counted. A failure to read them is ours, not the network's: it is thrown unchecked, so that
    /// nobody
    /// takes it for a reason to try again.
    InputStream over(InputStream content) {
        return new FilterInputStream(content) {
            private long sent;

            @Override
            public int read(byte[] bytes, int offset, int count) {
                try {
                    var got = super.read(bytes, offset, count);
                    sent += Math.max(0, got);
                    tell(sent);
                    return got;
                } catch (IOException e) {
                    throw new UncheckedIOException("read blob " + blob.digest(), e);
                }
            }
        };
    }

    void done() {
        progress.accept(new PullProgress.LayerProgress(blob.digest(), blob.size(), blob.size()));
    }

    private void tell(long sent) {
        var now = System.nanoTime();
        if (now - last >= PAUSE_NANOS && sent < blob.size()) {
            last = now;
            progress.accept(new PullProgress.LayerProgress(blob.digest(), sent, blob.size()));
        }
    }
}
