package dev.bobbin.runner.host;

import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// Feeds decoders with bytes that were changed at random, for a number of rounds or for as long as
/// `-Dbobbin.fuzz.seconds` says. Each round has a seed of its own, which is printed if it fails.
public final class Mutations {
    private static final byte[] TELLING = {0, 1, 7, 8, 127, (byte) 128, (byte) 255};
    private static final long LONGEST_ROUND_SECONDS = 10;

    private Mutations() {}

    /// What is tried; an [IOException] means that the bytes were refused, which is as good as understanding them.
    public interface Round {
        void run(Random random) throws IOException, InterruptedException;
    }

    /// Counts the rounds in which nothing was refused.
    public static long survive(String what, long usualRounds, Round round) {
        var first = Long.getLong("bobbin.seed", System.nanoTime());
        var seconds = Integer.getInteger("bobbin.fuzz.seconds", 0);
        var until = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        var current = new AtomicLong(first);
        var watch = Thread.ofPlatform().daemon().start(endOfLoops(what, current, Thread.currentThread()));
        var understood = 0L;
        var rounds = 0L;
        while (seconds > 0 ? System.nanoTime() < until : rounds < usualRounds) {
            var seed = first + rounds++;
            current.set(seed);
            if (understands(what, seed, round)) {
                understood++;
            }
        }
        watch.interrupt();
        System.out.printf("%s: seed %d, %d rounds, %d understood%n", what, first, rounds, understood);
        return understood;
    }

    /// Interrupts a round that does not end, which a decoder that loops may or may not notice; its seed is said first.
    private static Runnable endOfLoops(String what, AtomicLong current, Thread rounds) {
        return () -> {
            try {
                for (var seed = current.get() - 1; seed != current.get(); ) {
                    seed = current.get();
                    TimeUnit.SECONDS.sleep(LONGEST_ROUND_SECONDS);
                }
                System.out.println(what + ": -Dbobbin.seed=" + current.get() + " does not end");
                rounds.interrupt();
            } catch (InterruptedException _) {
                // all rounds are done
            }
        };
    }

    private static boolean understands(String what, long seed, Round round) {
        try {
            round.run(new Random(seed));
            return true;
        } catch (IOException _) {
            return false;
        } catch (InterruptedException | RuntimeException | StackOverflowError | OutOfMemoryError e) {
            throw new AssertionError(what + ": -Dbobbin.seed=" + seed, e);
        }
    }

    /// The same bytes with up to five changes; one in eight is cut as well.
    public static byte[] mutate(Random random, byte[] bytes) {
        for (var change = random.nextInt(6); change > 0 && bytes.length >= Integer.BYTES; change--) {
            var at = random.nextInt(bytes.length);
            switch (random.nextInt(4)) {
                case 0 -> bytes[at] = (byte) random.nextInt();
                case 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 2 -> bytes[at] = TELLING[random.nextInt(TELLING.length)];
                default -> {
                    var length = random.nextInt(3) > 0 ? random.nextInt(300) : -1 - random.nextInt(20);
                    for (var i = 0; i < Integer.BYTES && at + i < bytes.length; i++) {
                        bytes[at + i] = (byte) (length >> (8 * i));
                    }
                }
            }
        }
        return random.nextInt(8) > 0 ? bytes : Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
    }
}
