package dev.bobbin.scheduler.http.v1;

import dev.bobbin.image.ImageReference;
import dev.bobbin.image.store.PullPolicy;
import dev.bobbin.runner.Command;
import dev.bobbin.runner.InputFile;
import dev.bobbin.runner.Isolation;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Mount;
import dev.bobbin.runner.RequestKey;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.SandboxSpec;
import dev.bobbin.runner.Sysctls;
import dev.bobbin.runner.Terminal;
import dev.bobbin.scheduler.http.exchange.JsonInput;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.tenant.Tenant;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The body of `POST /v1/sandboxes`: that of a run, and how long the sandbox may last.
final class SandboxRequest {
    private static final Set<String> FIELDS = Set.of(
            "name",
            "ttl",
            "idle_timeout",
            "ports",
            "command",
            "image",
            "pull",
            "env",
            "secrets",
            "workdir",
            "user",
            "stdin",
            "terminal",
            "files",
            "limits",
            "network",
            "mounts",
            "sysctls",
            "seccomp",
            "allow_new_privileges",
            "capabilities",
            "labels",
            "on_disconnect",
            "output_policy");
    private static final Set<String> LIMITS =
            Set.of("memory", "cpus", "pids", "output", "disk", "cpuset", "cpu_weight", "io", "nofile");
    private static final Duration LONGEST = Duration.ofDays(36_500);

    private @Nullable String name;
    private @Nullable Duration ttl;
    private @Nullable Duration idleTimeout;
    private List<String> command = List.of();
    private @Nullable ImageReference image;
    private PullPolicy pull = PullPolicy.MISSING;
    private Map<String, String> env = Map.of();
    private @Nullable String workdir;
    private @Nullable String user;
    private @Nullable Terminal terminal;
    private final List<InputFile> files = new ArrayList<>();
    private Limits limits = Limits.DEFAULT;
    private Map<String, String> labels = Map.of();
    private List<Mount> mounts = List.of();
    private Map<String, String> sysctls = Map.of();
    private @Nullable String seccomp;
    private final RightsInput rights = new RightsInput();
    private final NetworkInput network = new NetworkInput();
    private Job.OutputPolicy outputPolicy = Job.OutputPolicy.DROP;

    private SandboxRequest() {}

    static SandboxRequest read(byte[] body) {
        var request = new SandboxRequest();
        JsonInput.readObject(body, FIELDS, request::field);
        return request;
    }

    /// The body of `PATCH /v1/sandboxes/{id}`: the new name.
    static String readName(byte[] body) {
        var name = new String[1];
        JsonInput.readObject(body, Set.of("name"), (_, value) -> name[0] = value.string());
        if (name[0] == null) {
            throw Rejected.invalid("name", "name: say what the sandbox shall be called");
        }
        return JobInput.valid("", () -> {
            SandboxSpec.checkName(name[0]);
            return name[0];
        });
    }

    /// The sandbox this asks for.
    ///
    /// @param usualImage the image if the request names none
    /// @param key by which the request is known when it comes again
    SandboxSpec toSpec(Tenant tenant, ImageReference usualImage, @Nullable RequestKey key) {
        return JobInput.valid(
                "",
                () -> new SandboxSpec(
                        SandboxId.next(),
                        tenant.name(),
                        name,
                        image == null ? usualImage : image,
                        new Command(command, env, workdir, user, terminal),
                        files,
                        limits.within(Limits.LONGEST_TIME, limits.outputBytes()),
                        outputPolicy,
                        labels,
                        ttl,
                        idleTimeout,
                        mounts,
                        new Isolation(network.network(), new Sysctls(sysctls), seccomp, rights.rights()),
                        key));
    }

    /// When a registry is asked for the image.
    PullPolicy pull() {
        return pull;
    }

    private void field(String field, JsonInput value) throws IOException {
        switch (field) {
            case "name" -> name = value.string();
            case "ttl" -> ttl = duration(value);
            case "idle_timeout" -> idleTimeout = duration(value);
            case "command" -> command = JobInput.command(value, "; leave it out for a sandbox that idles");
            case "image" -> image = ImageRequest.reference(value);
            case "pull" -> pull = ImageRequest.policy(value);
            case "env" -> env = value.strings(JobInput.MOST_VARIABLES);
            case "workdir" -> workdir = value.string();
            case "user" -> user = value.string();
            case "files" ->
                value.entries(JobInput.MOST_FILES, (path, content) -> files.add(JobInput.file(path, content)));
            case "limits" -> limits = JobInput.limits(value, LIMITS);
            case "labels" -> labels = JobInput.labels(value);
            case "mounts" -> mounts = MountInput.read(value);
            case "sysctls" -> sysctls = value.strings(Sysctls.MOST);
            case "seccomp" -> seccomp = value.string();
            case "allow_new_privileges" -> rights.readNewPrivileges(value);
            case "capabilities" -> rights.readCapabilities(value);
            case "network" -> network.readNetwork(value);
            case "ports" -> network.readPorts(value);
            case "output_policy" -> outputPolicy = JobInput.outputPolicy(value);
            case "terminal" -> terminal = JobInput.terminal(value);
            case "stdin" ->
                throw value.wrong(
                        "is of a run or an exec; a sandbox's own process reads what is typed into its terminal, or nothing");
            case "on_disconnect" -> outlives(value);
            default -> throw JobInput.notOffered(value);
        }
    }

    private static Duration duration(JsonInput value) throws IOException {
        var duration = Quantity.duration(value);
        if (!duration.isPositive() || duration.compareTo(LONGEST) > 0) {
            throw value.wrong("must be more than nothing and at most 36500 days");
        }
        return duration;
    }

    private static void outlives(JsonInput value) throws IOException {
        if (JobInput.onDisconnect(value) == Job.OnDisconnect.KILL) {
            throw value.wrong("a sandbox outlives whoever made it; give it a ttl or an idle_timeout");
        }
    }
}
