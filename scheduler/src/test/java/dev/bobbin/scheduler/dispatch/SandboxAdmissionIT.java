package dev.bobbin.scheduler.dispatch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.image.ImageReference;
import dev.bobbin.runner.Command;
import dev.bobbin.runner.Isolation;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Refusal.Reason;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.SandboxSpec;
import dev.bobbin.runner.host.Sandboxes.Creation;
import dev.bobbin.runner.host.TestHost;
import dev.bobbin.scheduler.admission.Admission;
import dev.bobbin.scheduler.admission.AdmissionConfig;
import dev.bobbin.scheduler.cluster.SingleHostCluster;
import dev.bobbin.scheduler.placement.HostId;
import dev.bobbin.scheduler.tenant.Caller;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Places at the gate over a restart of the server.
@Timeout(60)
final class SandboxAdmissionIT {

    /// One whose gate lets two sandboxes in.
    private static Dispatcher dispatcher(TestHost host) {
        var gate = new AdmissionConfig(8, 0, Duration.ZERO, 8, 2, 256);
        return new Dispatcher(
                new Admission(gate, host.runtime().capacity()),
                new SingleHostCluster(new HostId("here"), host.runtime()),
                host.runtime(),
                PublishConfig.LOOPBACK,
                new SimpleMeterRegistry());
    }

    private static Creation create(Dispatcher dispatcher, String name) throws InterruptedException {
        var spec = new SandboxSpec(
                SandboxId.next(),
                Caller.ANYBODY.tenant().name(),
                name,
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
        return dispatcher.sandboxes().create(spec, Caller.ANYBODY);
    }

    private static void assertBusy(Creation creation) {
        assertThat(creation)
                .isInstanceOfSatisfying(
                        Creation.Refused.class,
                        refused -> assertThat(refused.refusal().reason()).isEqualTo(Reason.BUSY));
    }

    @Test
    void areHeldByThoseThatOutliveTheServerAndByNoOthers() throws Exception {
        var root = Files.createTempDirectory("bobbin-test");
        try (var host = TestHost.open(1, root)) {
            try (var first = dispatcher(host)) {
                assertThat(create(first, "one")).isInstanceOf(Creation.Created.class);
                assertThat(create(first, "two")).isInstanceOf(Creation.Created.class);
                var two = first.sandboxes().find("two", Caller.ANYBODY).orElseThrow();
                assertThat(two.stop(9, Duration.ZERO)).isEmpty();
            }

            host.restart();

            try (var second = dispatcher(host)) {
                var one = second.sandboxes().find("one", Caller.ANYBODY).orElseThrow();
                var two = second.sandboxes().find("two", Caller.ANYBODY).orElseThrow();
                assertThat(create(second, "three")).isInstanceOf(Creation.Created.class);
                assertThat(two.start().orElseThrow().reason()).isEqualTo(Reason.BUSY);
                assertBusy(create(second, "four"));

                assertThat(one.stop(9, Duration.ZERO)).isEmpty();

                assertThat(two.start()).isEmpty();
                assertBusy(create(second, "four"));
            }
        }
    }
}
