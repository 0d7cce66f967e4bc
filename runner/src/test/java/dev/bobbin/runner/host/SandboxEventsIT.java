package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.image.ImageReference;
import dev.bobbin.runner.Command;
import dev.bobbin.runner.Isolation;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.SandboxEvent;
import dev.bobbin.runner.SandboxEvent.Change;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.SandboxSpec;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What became of sandboxes, told in numbers that go on.
@Timeout(60)
class SandboxEventsIT {
    private static final int SIGTERM = 15;

    @Test
    void numbersEveryChangeAlsoAfterARestart() throws Exception {
        var root = Files.createTempDirectory("bobbin-events");
        List<SandboxEvent> before;
        try (var host = TestHost.open(0, root, false)) {
            var sandbox = host.place().name("first").create();
            sandbox.stop(SIGTERM, Duration.ofSeconds(5));
            sandbox.start();
            sandbox.rename("second");
            sandbox.restart(SIGTERM, Duration.ofSeconds(5));
            before = after(host, "default", 0);
            assertThat(before)
                    .extracting(SandboxEvent::change)
                    .containsExactly(
                            Change.CREATING,
                            Change.RUNNING,
                            Change.STOPPING,
                            Change.STOPPED,
                            Change.CREATING,
                            Change.RUNNING,
                            Change.RENAMED,
                            Change.STOPPING,
                            Change.STOPPED,
                            Change.CREATING,
                            Change.RUNNING);
            assertThat(before.get(3).detail()).isEqualTo("cancelled");
            assertThat(before).extracting(SandboxEvent::name).contains("first", "second");
            assertThat(before)
                    .extracting(SandboxEvent::number)
                    .containsExactlyElementsOf(
                            LongStream.rangeClosed(1, 11).boxed().toList());
            assertThat(after(host, "other", 0)).isEmpty();
            assertThat(after(host, "default", 9)).isEqualTo(before.subList(9, 11));
        }
        try (var host = TestHost.open(0, root)) {
            var same = after(host, "default", 0);
            assertThat(same).extracting(SandboxEvent::number).startsWith(1L, 2L, 3L);
            assertThat(same.subList(0, 11))
                    .extracting(SandboxEvent::change)
                    .isEqualTo(before.stream().map(SandboxEvent::change).toList());
            var known = host.runtime().sandboxes().events().last();
            host.runtime().sandboxes().find("default", "second").orElseThrow().remove();
            assertThat(after(host, "default", known))
                    .extracting(SandboxEvent::change)
                    .containsExactly(Change.REMOVED);
        }
    }

    @Test
    void tellsFollowersAsItHappens() throws Exception {
        try (var host = TestHost.open(0)) {
            BlockingQueue<SandboxEvent> seen = new LinkedBlockingQueue<>();
            var following = Thread.ofVirtual().start(() -> {
                try {
                    host.runtime().sandboxes().events().read("default", 0, true, sink(seen::add));
                } catch (InterruptedException _) {
                    Thread.currentThread().interrupt();
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            });
            var sandbox = host.place("sh", "-c", "exit 3").create();
            var changes = new ArrayList<Change>();
            while (changes.isEmpty() || changes.getLast() != Change.STOPPED) {
                var event = seen.poll(10, TimeUnit.SECONDS);
                assertThat(event).isNotNull();
                assertThat(event.sandbox()).isEqualTo(sandbox.id());
                changes.add(event.change());
                if (event.change() == Change.STOPPED) {
                    assertThat(event.detail()).isEqualTo("exited");
                }
            }
            assertThat(changes).startsWith(Change.CREATING).endsWith(Change.STOPPED);
            following.interrupt();
            assertThat(following.join(Duration.ofSeconds(5))).isTrue();
        }
    }

    @Test
    void saysWhatIsNoLongerKnownAndForgetsATornEnd() throws Exception {
        var directory = Files.createTempDirectory("bobbin-eventfile");
        var path = directory.resolve("events");
        var spec = spec();
        var events = SandboxEvents.open(path);
        for (var i = 0; i < 3 * SandboxEvents.KEPT + 5; i++) {
            events.add(spec, Change.RUNNING, null);
        }
        events.close();
        var bytes = Files.readAllBytes(path);
        Files.write(path, Arrays.copyOf(bytes, bytes.length - 7));
        var again = SandboxEvents.open(path);
        assertThat(again.last()).isEqualTo(3 * SandboxEvents.KEPT + 4);
        again.add(spec, Change.STOPPED, "exited");
        var lost = new ArrayList<String>();
        var numbers = new ArrayList<Long>();
        again.read(null, 1, false, new SandboxEvents.Sink() {
            @Override
            public void event(SandboxEvent event) {
                numbers.add(event.number());
            }

            @Override
            public void lost() {
                lost.add("lost before " + numbers.size());
            }
        });
        assertThat(lost).containsExactly("lost before 0");
        assertThat(numbers).hasSize(SandboxEvents.KEPT).endsWith(3L * SandboxEvents.KEPT + 5);
        again.close();
        Files.delete(path);
        Files.delete(directory);
    }

    private static SandboxSpec spec() {
        return new SandboxSpec(
                SandboxId.next(),
                "default",
                "torn",
                ImageReference.HOST,
                Command.of(List.of()),
                List.of(),
                Limits.DEFAULT,
                Job.OutputPolicy.DROP,
                Map.of(),
                null,
                null,
                List.of(),
                Isolation.USUAL,
                null);
    }

    private static List<SandboxEvent> after(TestHost host, String tenant, long number) throws Exception {
        var events = new ArrayList<SandboxEvent>();
        host.runtime().sandboxes().events().read(tenant, number, false, sink(events::add));
        return events;
    }

    private static SandboxEvents.Sink sink(Consumer<SandboxEvent> each) {
        return new SandboxEvents.Sink() {
            @Override
            public void event(SandboxEvent event) {
                each.accept(event);
            }

            @Override
            public void lost() {
                throw new AssertionError("events are lost");
            }
        };
    }
}
