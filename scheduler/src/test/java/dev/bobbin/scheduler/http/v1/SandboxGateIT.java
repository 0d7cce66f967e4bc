package dev.bobbin.scheduler.http.v1;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.scheduler.admission.AdmissionConfig;
import dev.bobbin.scheduler.http.RawClient;
import dev.bobbin.scheduler.http.TestServer;
import dev.bobbin.scheduler.tenant.Callers;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Sandboxes that last, and a gate that lets two of them in.
@Timeout(60)
final class SandboxGateIT {

    private static TestServer open(int line, Duration patience) throws IOException {
        return TestServer.open(new AdmissionConfig(1, line, patience, 8, 2, 256), Callers.anybody());
    }

    private static RawClient.Answer create(TestServer server, String name, String more) throws IOException {
        return server.post("/v1/sandboxes", "{\"name\":\"" + name + "\"" + more + "}");
    }

    private static RawClient.Answer tell(TestServer server, String name, String order) throws IOException {
        return server.post("/v1/sandboxes/" + name + "/" + order, order.equals("stop") ? "{\"grace\":0}" : "");
    }

    private static void assertBusy(RawClient.Answer answer) {
        assertThat(answer.status()).as(answer.text()).isEqualTo(429);
        assertThat(answer.headers()).containsKey("retry-after");
        assertThat(answer.text()).contains("\"code\":\"busy\"", "all 2 places of sandboxes are taken");
    }

    @Test
    void holdAPlaceWhileTheyRun() throws IOException {
        try (var server = open(0, Duration.ZERO)) {
            assertThat(create(server, "one", "").status()).isEqualTo(201);
            assertThat(create(server, "two", "").status()).isEqualTo(201);
            assertBusy(create(server, "three", ""));
            assertThat(server.get("/v1/sandboxes").text()).doesNotContain("three");
            assertThat(tell(server, "one", "start").status()).isEqualTo(200);
            assertThat(server.post("/v1/run", "{\"command\":[\"true\"]}").status())
                    .isEqualTo(200);

            assertThat(tell(server, "one", "stop").status()).isEqualTo(200);
            assertThat(create(server, "three", "").status()).isEqualTo(201);
            assertBusy(tell(server, "one", "start"));
            assertThat(server.get("/v1/sandboxes/one").text()).contains("\"state\":\"stopped\"");

            assertThat(tell(server, "two", "kill").status()).isEqualTo(200);
            assertThat(tell(server, "one", "start").status()).isEqualTo(200);
            assertBusy(tell(server, "two", "start"));

            assertThat(server.delete("/v1/sandboxes/three").status()).isEqualTo(204);
            assertThat(tell(server, "two", "start").status()).isEqualTo(200);
            assertThat(tell(server, "two", "restart").status()).isEqualTo(200);
            assertBusy(create(server, "four", ""));
        }
    }

    @Test
    void giveTheirPlaceBackWhenTheyEndByThemselvesOrNeverBegin() throws Exception {
        try (var server = open(0, Duration.ZERO)) {
            for (var sandbox = 0; sandbox < 3; sandbox++) {
                assertThat(create(server, "ends-" + sandbox, ",\"command\":[\"true\"]")
                                .status())
                        .isEqualTo(201);
                while (!server.get("/v1/sandboxes/ends-" + sandbox).text().contains("\"state\":\"stopped\"")) {
                    TimeUnit.MILLISECONDS.sleep(10);
                }
            }
            for (var sandbox = 0; sandbox < 3; sandbox++) {
                assertThat(create(server, "ends-0", "").status()).isEqualTo(409);
                assertThat(create(server, "lost", ",\"image\":\"none.invalid/x\",\"pull\":\"never\"")
                                .status())
                        .isEqualTo(404);
                assertThat(create(server, "nobody", ",\"user\":\"nobody-else\"").status())
                        .isEqualTo(400);
                var unset = create(server, "unset", ",\"sysctls\":{\"kernel.shmmni\":\"nonsense\"}");
                assertThat(unset.text()).contains("\"state\":\"failed\"");
                assertThat(server.delete("/v1/sandboxes/unset").status()).isEqualTo(204);
            }
            assertThat(create(server, "one", "").status()).isEqualTo(201);
            assertThat(create(server, "two", "").status()).isEqualTo(201);
            assertBusy(create(server, "three", ""));
        }
    }

    @Test
    void waitInLineUntilAPlaceIsFree() throws Exception {
        try (var server = open(1, Duration.ofSeconds(20));
                var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
            create(server, "one", "");
            create(server, "two", "");
            Callable<RawClient.Answer> third = () -> create(server, "three", "");
            var waiting = tasks.submit(third);
            while (server.host
                            .meters
                            .get("bobbin.jobs")
                            .tag("state", "waiting")
                            .gauge()
                            .value()
                    < 1) {
                TimeUnit.MILLISECONDS.sleep(10);
            }
            assertThat(create(server, "four", "").text()).contains("the line is full");
            assertThat(waiting.isDone()).isFalse();

            tell(server, "one", "stop");

            assertThat(waiting.get().status()).isEqualTo(201);
        }
    }

    @Test
    void neverFitIfLargerThanTheMachine() throws IOException {
        try (var server = open(1, Duration.ofSeconds(20))) {
            var answer = create(server, "large", ",\"limits\":{\"memory\":\"1000TiB\"}");
            assertThat(answer.status()).isEqualTo(422);
            assertThat(answer.text()).contains("\"code\":\"never_fits\"", "\"field\":\"limits.memory\"");
        }
    }
}
