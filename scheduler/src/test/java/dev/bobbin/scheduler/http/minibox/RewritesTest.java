package dev.bobbin.scheduler.http.minibox;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class RewritesTest {
    private final Rewrites<String> rewrites = new Rewrites<>();
    private final AtomicInteger begun = new AtomicInteger();
    private final CountDownLatch first = new CountDownLatch(1);
    private final CountDownLatch release = new CountDownLatch(1);

    /// Waits, as a container does that lets nobody write.
    private void work() {
        begun.incrementAndGet();
        first.countDown();
        try {
            release.await();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void worksOnceMoreForAllWhoAskMeanwhile() throws Exception {
        var one = rewrites.ask("a", this::work);
        first.await();
        var two = rewrites.ask("a", this::work);
        var three = rewrites.ask("a", this::work);
        assertThat(two).isNotDone();

        release.countDown();
        one.get(10, TimeUnit.SECONDS);
        two.get(10, TimeUnit.SECONDS);
        three.get(10, TimeUnit.SECONDS);

        assertThat(begun).hasValue(2);
    }

    @Test
    void letsNoPlaceWaitForAnother() throws Exception {
        var slow = rewrites.ask("a", this::work);
        first.await();

        rewrites.ask("b", begun::incrementAndGet).get(10, TimeUnit.SECONDS);

        assertThat(slow).isNotDone();
        release.countDown();
        slow.get(10, TimeUnit.SECONDS);
    }
}
