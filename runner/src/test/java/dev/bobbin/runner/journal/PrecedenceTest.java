package dev.bobbin.runner.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class PrecedenceTest {
    @Test
    void aReaderAloneTakesTurnAfterTurn() throws InterruptedException {
        var turn = new Precedence(1).turn();
        for (var i = 0; i < 1000; i++) {
            turn.take();
        }
        turn.giveBack();
    }

    @Test
    void everyReaderHasItsTurnAlthoughNobodyGivesOneBack() throws InterruptedException {
        var precedence = new Precedence(1);
        var had = new CountDownLatch(50);
        var readers = new ArrayList<Thread>();
        for (var i = 0; i < 50; i++) {
            readers.add(Thread.startVirtualThread(() -> {
                take(precedence.turn());
                had.countDown();
            }));
        }
        assertTrue(had.await(20, TimeUnit.SECONDS));
        for (var reader : readers) {
            reader.join();
        }
    }

    @Test
    void turnsAreTakenInTheOrderOfTheLine() throws InterruptedException {
        var precedence = new Precedence(1);
        precedence.startBegins();
        var order = new ConcurrentLinkedQueue<Integer>();
        var readers = new ArrayList<Thread>();
        for (var i = 0; i < 5; i++) {
            var number = i;
            precedence.startBegins();
            var reader = Thread.ofPlatform().start(() -> {
                var turn = precedence.turn();
                take(turn);
                order.add(number);
                turn.giveBack();
            });
            readers.add(reader);
            awaitWaitingOrDone(reader);
        }
        for (var reader : readers) {
            reader.join();
        }
        assertEquals(List.of(0, 1, 2, 3, 4), List.copyOf(order));
    }

    @Test
    void aStartThatIsNeverDoneHoldsNobodyForEver() throws InterruptedException {
        var precedence = new Precedence(1);
        var turn = precedence.turn();
        for (var i = 0; i < 20; i++) {
            precedence.startBegins();
            turn.take();
        }
    }

    @Test
    void readersGoOnWhateverStartsAllTheTime() throws InterruptedException {
        var precedence = new Precedence(1);
        var done = new CountDownLatch(1);
        var starts = Thread.ofPlatform().start(() -> {
            while (done.getCount() > 0) {
                precedence.startBegins();
                precedence.startDone();
                precedence.startBegins();
            }
        });
        var turn = precedence.turn();
        for (var i = 0; i < 100; i++) {
            turn.take();
        }
        done.countDown();
        starts.join();
    }

    @Test
    void anInterruptedReaderLeavesTheLine() throws InterruptedException {
        var precedence = new Precedence(1);
        var held = precedence.turn();
        held.take();
        var reader = Thread.ofPlatform().unstarted(() -> take(precedence.turn()));
        reader.start();
        reader.interrupt();
        reader.join();
        held.giveBack();
        var next = precedence.turn();
        next.take();
        assertFalse(reader.isAlive());
    }

    private static void awaitWaitingOrDone(Thread reader) {
        while (reader.getState() == Thread.State.NEW || reader.getState() == Thread.State.RUNNABLE) {
            Thread.onSpinWait();
        }
    }

    private static void take(Precedence.Turn turn) {
        try {
            turn.take();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
