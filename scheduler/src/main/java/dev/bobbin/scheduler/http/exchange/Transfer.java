package dev.bobbin.scheduler.http.exchange;

import dev.bobbin.image.PullProgress;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// The bringing of an image on a thread of its own, so that whoever waits hears of each step, and of quiet, in time.
public final class Transfer {
    /// The longest silence towards a waiting client.
    private static final Duration QUIET = Duration.ofSeconds(10);

    /// Progress that the listener may be behind; what is more is passed over.
    private static final int MOST_PENDING = 1_000;

    private Transfer() {}

    /// A pull or a push.
    @FunctionalInterface
    public interface Work<T> {
        T with(Consumer<PullProgress> progress);
    }

    /// Who waits.
    public interface Listener {
        void heard(PullProgress step) throws IOException;

        /// Nothing happened for ten seconds.
        void quiet() throws IOException;
    }

    /// What `work` gives. The listener is called on this thread; its failure, or an interrupt, ends the work.
    public static <T> T follow(Work<T> work, Listener listener) throws IOException, InterruptedException {
        var events = new LinkedBlockingQueue<Event<T>>();
        var thread = Thread.ofVirtual().name("image-transfer").start(() -> run(work, events));
        try {
            while (true) {
                switch (events.poll(QUIET.toMillis(), TimeUnit.MILLISECONDS)) {
                    case null -> listener.quiet();
                    case Event.Heard<T> heard -> listener.heard(heard.step());
                    case Event.Done<T> done -> {
                        return done.result();
                    }
                    case Event.Failed<T> failed -> throw failed.failure();
                }
            }
        } finally {
            thread.interrupt();
        }
    }

    private static <T> void run(Work<T> work, LinkedBlockingQueue<Event<T>> events) {
        try {
            var result = work.with(step -> {
                if (events.size() < MOST_PENDING) {
                    events.add(new Event.Heard<>(step));
                }
            });
            events.add(new Event.Done<>(result));
        } catch (RuntimeException e) {
            events.add(new Event.Failed<>(e));
        } catch (Error e) {
            events.add(new Event.Failed<>(new IllegalStateException("the transfer failed", e)));
        }
    }

    private sealed interface Event<T> {
        record Heard<T>(PullProgress step) implements Event<T> {}

        record Done<T>(T result) implements Event<T> {}

        record Failed<T>(RuntimeException failure) implements Event<T> {}
    }
}
