package dev.bobbin.scheduler.http.v1;

import dev.bobbin.runner.Command;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.RequestKey;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.Stdin;
import dev.bobbin.runner.Terminal;
import dev.bobbin.scheduler.http.exchange.JsonInput;
import dev.bobbin.scheduler.http.exchange.Rejected;
import io.helidon.webserver.http.ServerRequest;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The body of `POST /v1/exec`, or the `exec` of `POST /v1/jobs`.
final class ExecRequest {
    private static final Set<String> FIELDS = Set.of(
            "sandbox",
            "command",
            "env",
            "secrets",
            "workdir",
            "user",
            "stdin",
            "terminal",
            "limits",
            "labels",
            "on_disconnect",
            "output_policy");
    /// The others are the sandbox's.
    private static final List<String> SHELL = List.of("/bin/sh");
    private static final Set<String> LIMITS = Set.of("time", "output");

    private final String within;
    private @Nullable String sandbox;
    private List<String> command = List.of();
    private Map<String, String> env = Map.of();
    private @Nullable String workdir;
    private @Nullable String user;
    private Stdin stdin = new Stdin.Empty();
    private @Nullable Terminal terminal;
    private Limits limits = Limits.DEFAULT;
    private Map<String, String> labels = Map.of();
    private Job.@Nullable OnDisconnect onDisconnect;
    private Job.@Nullable OutputPolicy outputPolicy;

    private ExecRequest(String within) {
        this.within = within;
    }

    static ExecRequest read(byte[] body) {
        var request = new ExecRequest("");
        JsonInput.readObject(body, FIELDS, request::field);
        return request;
    }

    /// The request that is the value of a field, for a job that nobody waits for.
    static ExecRequest readDetached(JsonInput value) throws IOException {
        var request = new ExecRequest(value.path() + ".");
        value.object(FIELDS, request::field);
        JobInput.requireNobody(request.within, request.onDisconnect);
        return request;
    }

    /// The request for a terminal that is a query: `command`, `env` (both may repeat), `workdir`, `user`, `rows`,
    /// `columns`, `time`, `on_disconnect`.
    static ExecRequest read(String sandbox, ServerRequest query) {
        var request = new ExecRequest("");
        request.sandbox = sandbox;
        request.command = query.query().all("command", () -> SHELL);
        request.env = variables(query.query().all("env", List::of));
        request.workdir = Jobs.query(query, "workdir").orElse(null);
        request.user = Jobs.query(query, "user").orElse(null);
        request.terminal = JobInput.terminal(query);
        request.onDisconnect = Jobs.query(query, "on_disconnect")
                .map(text -> JobInput.onDisconnect("on_disconnect", text))
                .orElse(null);
        var time = Jobs.query(query, "time")
                .map(text -> Quantity.duration(text)
                        .orElseThrow(() -> Rejected.invalid("time", "time: must be a duration such as \"30s\"")));
        if (time.isPresent()) {
            request.limits = JobInput.valid("", () -> request.limits.within(time.get(), request.limits.outputBytes()));
        }
        return request;
    }

    private static Map<String, String> variables(List<String> pairs) {
        var variables = new LinkedHashMap<String, String>();
        for (var pair : pairs) {
            var end = pair.indexOf('=');
            if (end < 1) {
                throw Rejected.invalid("env", "env: must be NAME=VALUE");
            }
            variables.put(pair.substring(0, end), pair.substring(end + 1));
        }
        return variables;
    }

    /// Refuses what has no terminal to show.
    void requireTerminal() {
        JobInput.requireTerminal(terminal);
    }

    /// Where it shall run: an id or a name.
    String sandbox() {
        if (sandbox == null) {
            throw Rejected.invalid(within + "sandbox", within + "sandbox: say in which one, by id or name");
        }
        return sandbox;
    }

    /// The job this asks for.
    ///
    /// @param tenant owner of the sandbox, and so of what runs in it
    /// @param usual what happens when the caller leaves if the request does not say
    /// @param usualPolicy what happens at the output limit if the request does not say
    /// @param key by which the request is known when it comes again
    Job.Exec toJob(
            String tenant,
            SandboxId place,
            Job.OnDisconnect usual,
            Job.OutputPolicy usualPolicy,
            @Nullable RequestKey key) {
        return JobInput.valid(
                within,
                () -> new Job.Exec(
                        JobId.next(),
                        tenant,
                        place,
                        new Command(command, env, workdir, user, terminal),
                        terminal != null && stdin instanceof Stdin.Empty ? new Stdin.Open() : stdin,
                        limits.time(),
                        limits.outputBytes(),
                        onDisconnect == null ? usual : onDisconnect,
                        outputPolicy == null ? usualPolicy : outputPolicy,
                        labels,
                        key));
    }

    private void field(String name, JsonInput value) throws IOException {
        switch (name) {
            case "sandbox" -> sandbox = value.string();
            case "command" -> command = JobInput.command(value, "");
            case "env" -> env = value.strings(JobInput.MOST_VARIABLES);
            case "workdir" -> workdir = value.string();
            case "user" -> user = value.string();
            case "stdin" -> stdin = JobInput.stdin(value);
            case "terminal" -> terminal = JobInput.terminal(value);
            case "limits" -> limits = JobInput.limits(value, LIMITS);
            case "labels" -> labels = JobInput.labels(value);
            case "on_disconnect" -> onDisconnect = JobInput.onDisconnect(value);
            case "output_policy" -> outputPolicy = JobInput.outputPolicy(value);
            default -> throw JobInput.notOffered(value);
        }
    }
}
