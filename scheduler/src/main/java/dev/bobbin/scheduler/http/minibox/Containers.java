package dev.bobbin.scheduler.http.minibox;

import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.SandboxState;
import dev.bobbin.runner.host.LastingSandbox;
import dev.bobbin.scheduler.dispatch.SandboxDirectory;
import dev.bobbin.scheduler.http.exchange.Exchange;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.tenant.Caller;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Pattern;

/// Containers that are there: listed, found, told to start and to end.
final class Containers {
    private static final Pattern ID = Pattern.compile("[a-f0-9]{8}");
    private static final Pattern SECONDS = Pattern.compile("[0-9]{1,3}");
    private static final int SIGTERM = 15;
    private static final int SIGKILL = 9;
    private static final int USUAL_GRACE = 10;
    private static final int LONGEST_GRACE = 600;
    private static final int NOTHING_RAN = -1;

    private final SandboxDirectory sandboxes;
    private final Neighbours neighbours;
    private final HealthChecks checks;

    Containers(SandboxDirectory sandboxes, Neighbours neighbours, HealthChecks checks) {
        this.sandboxes = sandboxes;
        this.neighbours = neighbours;
        this.checks = checks;
    }

    void list(ServerRequest request, ServerResponse response) {
        var all = sandboxes.list(Exchange.caller(request));
        all.forEach(checks::watch);
        Plain.json(request, response, json -> {
            json.writeStartObject();
            for (var sandbox : all) {
                json.writeFieldName(id(sandbox));
                ContainerJson.write(json, sandbox, checks.of(sandbox));
            }
            json.writeEndObject();
        });
    }

    void stop(ServerRequest request, ServerResponse response) throws InterruptedException {
        var sandbox = required(request, "missing id");
        var id = id(sandbox);
        if (!isRunning(sandbox)) {
            Plain.text(request, response, "Container " + id + " not running\n");
            return;
        }
        refuse(sandbox.stop(SIGTERM, Duration.ofSeconds(grace(request))));
        neighbours.changed(sandbox);
        var how = sandbox.ending()
                        .filter(ending -> ending.outcome().exitCode() == 128 + SIGKILL)
                        .isPresent()
                ? "killed (timeout)"
                : "stopped";
        Plain.text(request, response, "Container " + id + " " + how + "\n");
    }

    void start(ServerRequest request, ServerResponse response) throws InterruptedException {
        var sandbox = required(request, "missing id");
        if (isRunning(sandbox)) {
            throw Plain.bad("container is already running");
        }
        refuse(sandbox.start());
        neighbours.changed(sandbox);
        checks.watch(sandbox);
        Plain.text(request, response, id(sandbox) + "\n");
    }

    void kill(ServerRequest request, ServerResponse response) throws InterruptedException {
        var sandbox = required(request, "missing id");
        var refusal = sandbox.signal(SIGKILL);
        if (refusal.isPresent() && refusal.get().reason() == Refusal.Reason.SANDBOX_NOT_RUNNING) {
            throw Plain.bad("container pid not found");
        }
        refuse(refusal);
        neighbours.changed(sandbox);
        Plain.text(request, response, "Container " + id(sandbox) + " killed\n");
    }

    void remove(ServerRequest request, ServerResponse response) throws InterruptedException {
        var sandbox = required(request, "missing id");
        var id = id(sandbox);
        sandbox.remove();
        neighbours.changed(sandbox);
        Plain.text(request, response, "Container " + id + " removed\n");
    }

    /// By which clients know it.
    static String id(LastingSandbox sandbox) {
        return sandbox.aliases().getFirst();
    }

    static boolean isRunning(LastingSandbox sandbox) {
        return sandbox.state() == SandboxState.RUNNING || sandbox.state() == SandboxState.STOPPING;
    }

    /// What it ended with: 0 while it runs, -1 if nobody knows.
    static int exitCode(LastingSandbox sandbox) {
        return isRunning(sandbox)
                ? 0
                : sandbox.ending().map(ending -> ending.outcome().exitCode()).orElse(NOTHING_RAN);
    }

    /// The container that a request names in its query.
    ///
    /// @param missing what is said if it names none
    LastingSandbox required(ServerRequest request, String missing) {
        var named = Plain.query(request, "id");
        if (named.isEmpty()) {
            throw Plain.bad(missing);
        }
        return find(named, Exchange.caller(request)).orElseThrow(() -> unknown(named));
    }

    /// The caller's container of this id, whichever API calls it so.
    Optional<LastingSandbox> find(String named, Caller caller) {
        return sandboxes.find(named, caller);
    }

    /// Whether so much memory is all that a container can have.
    boolean isWhole(long memoryBytes) {
        return memoryBytes >= sandboxes.largest().memoryBytes();
    }

    private static Rejected unknown(String named) {
        var isId = ID.matcher(named).matches() || SandboxId.parse(named).isPresent();
        return isId ? Plain.absent("container not found") : Plain.bad("invalid container id");
    }

    private static int grace(ServerRequest request) {
        var asked = Plain.query(request, "t");
        if (!SECONDS.matcher(asked).matches() || Integer.parseInt(asked) > LONGEST_GRACE) {
            return USUAL_GRACE;
        }
        return Integer.parseInt(asked);
    }

    private static void refuse(Optional<Refusal> refusal) {
        if (refusal.isPresent()) {
            throw refusal.get().reason() == Refusal.Reason.NO_SUCH_SANDBOX
                    ? Plain.absent("container not found")
                    : Plain.failed(refusal.get().detail());
        }
    }
}
