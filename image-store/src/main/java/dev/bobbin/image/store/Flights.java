package dev.bobbin.image.store;

import dev.bobbin.image.PullProgress;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Pulls under way. Whoever asks for what is being pulled joins; a pull goes on as long as one of them waits.
final class Flights implements AutoCloseable {
    /// Progress that one waiter may be behind; what is more is passed over.
    private static final int MOST_PENDING = 1_000;

    private final Map<Object, Flight> flights = new HashMap<>();
    private final Set<Thread> threads = new HashSet<>();
    private final Runnable joined;
    private boolean closed;

    /// @param joined called whenever somebody joins
    Flights(Runnable joined) {
        this.joined = joined;
    }

    /// What `work` gives, done by one for all who give an equal `key`. The progress is told on the caller's own
    /// thread, so a slow listener delays nobody else.
    Image fly(Object key, Function<Consumer<PullProgress>, Image> work, Consumer<PullProgress> progress) {
        var waiter = new Waiter();
        var flight = board(key, work, waiter);
        try {
            while (true) {
                switch (waiter.events.take()) {
                    case Event.Progressed(var what) -> progress.accept(what);
                    case Event.Landed(var image) -> {
                        return image;
                    }
                    case Event.Crashed(var failure) -> throw failure;
                }
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            throw new CancellationException("the pull was cancelled");
        } finally {
            leave(flight, waiter);
        }
    }

    private synchronized Flight board(Object key, Function<Consumer<PullProgress>, Image> work, Waiter waiter) {
        if (closed) {
            throw new CancellationException("the image store is closed");
        }
        var flight = flights.get(key);
        if (flight == null) {
            flight = new Flight(key);
            flights.put(key, flight);
            flight.waiters.add(waiter);
            var mine = flight;
            var thread = Thread.ofVirtual().name("pull").unstarted(() -> run(mine, work));
            flight.thread = thread;
            threads.add(thread);
            thread.start();
        } else {
            flight.waiters.add(waiter);
            joined.run();
        }
        return flight;
    }

    /// Ends all and waits for them; nobody boards any more.
    @Override
    public void close() {
        List<Thread> threads;
        synchronized (this) {
            closed = true;
            threads = List.copyOf(this.threads);
        }
        threads.forEach(Thread::interrupt);
        for (var thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    private void run(Flight flight, Function<Consumer<PullProgress>, Image> work) {
        Event end;
        try {
            end = new Event.Landed(work.apply(progress -> tell(flight, new Event.Progressed(progress))));
        } catch (RuntimeException e) {
            end = new Event.Crashed(e);
        } catch (Error e) {
            end = new Event.Crashed(new IllegalStateException("the pull failed", e));
        }
        synchronized (this) {
            flights.remove(flight.key, flight);
            threads.remove(Thread.currentThread());
            for (var waiter : flight.waiters) {
                waiter.events.add(end);
            }
        }
    }

    private synchronized void tell(Flight flight, Event event) {
        for (var waiter : flight.waiters) {
            if (waiter.events.size() < MOST_PENDING) {
                waiter.events.add(event);
            }
        }
    }

    private synchronized void leave(Flight flight, Waiter waiter) {
        flight.waiters.remove(waiter);
        var thread = flight.thread;
        if (flight.waiters.isEmpty() && thread != null && flights.remove(flight.key, flight)) {
            thread.interrupt();
        }
    }

    private static final class Flight {
        private final Object key;
        private final Set<Waiter> waiters = new HashSet<>();
        private @Nullable Thread thread;

        Flight(Object key) {
            this.key = key;
        }
    }

    private static final class Waiter {
        private final LinkedBlockingQueue<Event> events = new LinkedBlockingQueue<>();
    }

    private sealed interface Event {
        record Progressed(PullProgress what) implements Event {}

        record Landed(Image image) implements Event {}

        record Crashed(RuntimeException failure) implements Event {}
    }
}
