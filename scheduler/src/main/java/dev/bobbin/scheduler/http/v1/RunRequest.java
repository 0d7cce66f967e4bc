package dev.bobbin.scheduler.http.v1;

import dev.bobbin.image.ImageReference;
import dev.bobbin.image.store.PullPolicy;
import dev.bobbin.runner.Command;
import dev.bobbin.runner.InputFile;
import dev.bobbin.runner.Isolation;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Mount;
import dev.bobbin.runner.RequestKey;
import dev.bobbin.runner.Stdin;
import dev.bobbin.runner.Sysctls;
import dev.bobbin.runner.Terminal;
import dev.bobbin.scheduler.http.exchange.JsonInput;
import dev.bobbin.scheduler.tenant.Tenant;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The body of `POST /v1/run`, or the `run` of `POST /v1/jobs`.
final class RunRequest {
    private static final Set<String> FIELDS = Set.of(
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
            "ports",
            "mounts",
            "sysctls",
            "seccomp",
            "allow_new_privileges",
            "capabilities",
            "labels",
            "on_disconnect",
            "output_policy");

    private final String within;
    private List<String> command = List.of();
    private @Nullable ImageReference image;
    private PullPolicy pull = PullPolicy.MISSING;
    private Map<String, String> env = Map.of();
    private @Nullable String workdir;
    private @Nullable String user;
    private Stdin stdin = new Stdin.Empty();
    private @Nullable Terminal terminal;
    private final List<InputFile> files = new ArrayList<>();
    private Limits limits = Limits.DEFAULT;
    private Map<String, String> labels = Map.of();
    private List<Mount> mounts = List.of();
    private Map<String, String> sysctls = Map.of();
    private @Nullable String seccomp;
    private final RightsInput rights = new RightsInput();
    private final NetworkInput network = new NetworkInput();
    private Job.OnDisconnect onDisconnect = Job.OnDisconnect.KILL;
    private Job.@Nullable OutputPolicy outputPolicy;

    private RunRequest(String within) {
        this.within = within;
    }

    static RunRequest read(byte[] body) {
        var request = new RunRequest("");
        JsonInput.readObject(body, FIELDS, request::field);
        return request;
    }

    /// The request that is the value of a field, for a job that nobody waits for.
    static RunRequest readDetached(JsonInput value) throws IOException {
        var request = new RunRequest(value.path() + ".");
        request.onDisconnect = Job.OnDisconnect.CONTINUE;
        value.object(FIELDS, request::field);
        JobInput.requireNobody(request.within, request.onDisconnect);
        return request;
    }

    /// The job this asks for.
    ///
    /// @param usualImage the image if the request names none
    /// @param usualPolicy what happens at the output limit if the request does not say
    /// @param key by which the request is known when it comes again
    Job.Run toJob(Tenant tenant, ImageReference usualImage, Job.OutputPolicy usualPolicy, @Nullable RequestKey key) {
        return JobInput.valid(
                within,
                () -> new Job.Run(
                        JobId.next(),
                        tenant.name(),
                        image == null ? usualImage : image,
                        new Command(command, env, workdir, user, terminal),
                        terminal != null && stdin instanceof Stdin.Empty ? new Stdin.Open() : stdin,
                        files,
                        limits,
                        onDisconnect,
                        outputPolicy == null ? usualPolicy : outputPolicy,
                        labels,
                        mounts,
                        new Isolation(network.network(), new Sysctls(sysctls), seccomp, rights.rights()),
                        key));
    }

    /// Refuses what has no terminal to show.
    void requireTerminal() {
        JobInput.requireTerminal(terminal);
    }

    /// When a registry is asked for the image.
    PullPolicy pull() {
        return pull;
    }

    private void field(String name, JsonInput value) throws IOException {
        switch (name) {
            case "command" -> command = JobInput.command(value, "; leave it out for the image's own command");
            case "image" -> image = ImageRequest.reference(value);
            case "pull" -> pull = ImageRequest.policy(value);
            case "env" -> env = value.strings(JobInput.MOST_VARIABLES);
            case "workdir" -> workdir = value.string();
            case "user" -> user = value.string();
            case "stdin" -> stdin = JobInput.stdin(value);
            case "terminal" -> terminal = JobInput.terminal(value);
            case "files" ->
                value.entries(JobInput.MOST_FILES, (path, content) -> files.add(JobInput.file(path, content)));
            case "limits" -> limits = JobInput.limits(value, JobInput.ALL_LIMITS);
            case "labels" -> labels = JobInput.labels(value);
            case "mounts" -> mounts = MountInput.read(value);
            case "sysctls" -> sysctls = value.strings(Sysctls.MOST);
            case "seccomp" -> seccomp = value.string();
            case "allow_new_privileges" -> rights.readNewPrivileges(value);
            case "capabilities" -> rights.readCapabilities(value);
            case "network" -> network.readNetwork(value);
            case "ports" -> network.readPorts(value);
            case "on_disconnect" -> onDisconnect = JobInput.onDisconnect(value);
            case "output_policy" -> outputPolicy = JobInput.outputPolicy(value);
            default -> throw JobInput.notOffered(value);
        }
    }
}
