package dev.bobbin.scheduler.http.minibox;

import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageReference;
import dev.bobbin.runner.Command;
import dev.bobbin.runner.Isolation;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Mount;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.Rights;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.SandboxSpec;
import dev.bobbin.runner.Sysctls;
import dev.bobbin.runner.Terminal;
import dev.bobbin.scheduler.http.exchange.JsonInput;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.tenant.Tenant;
import java.io.IOException;
import java.net.Inet4Address;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The body of `POST /containers/run`. What is wrong is told in the order in which its clients know it.
final class RunRequest {
    private static final Set<String> FIELDS = Set.of(
            "image",
            "command",
            "memory",
            "cpu",
            "cpuset",
            "io_weight",
            "oom_score_adj",
            "sysctls",
            "db_mode",
            "shm_size",
            "interactive",
            "detached",
            "ports",
            "volumes",
            "named_volumes",
            "env",
            "user",
            "name",
            "project");
    private static final int MOST = 4096;
    private static final int LONGEST_IMAGE = 256;
    private static final int MOST_PIDS = 4096;
    private static final long MIB = 1024 * 1024;
    private static final long OUTPUT_BYTES = 64 * MIB;
    private static final long DISK_BYTES = 64 * 1024 * MIB;
    private static final Pattern VOLUME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,63}");
    private static final Pattern NUMBER = Pattern.compile("[0-9]+");
    /// Nobody tells how large a terminal is.
    private static final Terminal SIZE = new Terminal(24, 80);

    private String image = "";
    private List<String> command = List.of();
    private long memory;
    private long cpu;
    private String cpuset = "";
    private long ioWeight;
    private long oomScoreAdj;
    private Map<String, String> sysctls = Map.of();
    private boolean interactive;
    private boolean detached;
    private Map<String, String> ports = Map.of();
    private Map<String, String> volumes = Map.of();
    private Map<String, String> namedVolumes = Map.of();
    private List<String> env = List.of();
    private String user = "";
    private String name = "";
    private String project = "";

    private RunRequest() {}

    static RunRequest read(byte[] body) {
        var request = new RunRequest();
        try {
            JsonInput.readFirstObject(body, FIELDS, request::field);
        } catch (Rejected _) {
            throw Plain.bad("Invalid request");
        }
        request.checkImage();
        request.ports.forEach((host, container) -> {
            checkPort("host", host);
            checkPort("container", container);
        });
        return request;
    }

    private void field(String field, JsonInput value) throws IOException {
        switch (field) {
            case "image" -> image = value.string();
            case "command" -> command = value.list(MOST);
            case "memory" -> memory = number(value);
            case "cpu" -> cpu = number(value);
            case "cpuset" -> cpuset = value.string();
            case "io_weight" -> ioWeight = number(value);
            case "oom_score_adj" -> oomScoreAdj = number(value);
            case "sysctls" -> sysctls = value.strings(MOST);
            // Databases do with the rights that every sandbox has.
            case "db_mode" -> value.bool();
            // Shared memory has room for as much as the container may use of memory.
            case "shm_size" -> number(value);
            case "interactive" -> interactive = value.bool();
            case "detached" -> detached = value.bool();
            case "ports" -> ports = value.strings(MOST);
            case "volumes" -> volumes = value.strings(MOST);
            case "named_volumes" -> namedVolumes = value.strings(MOST);
            case "env" -> env = value.list(MOST);
            case "user" -> user = value.string();
            case "name" -> name = value.string();
            default -> project = value.string();
        }
    }

    private static long number(JsonInput value) throws IOException {
        try {
            return Long.parseLong(value.number());
        } catch (NumberFormatException _) {
            throw value.wrong("must be a whole number");
        }
    }

    private void checkImage() {
        if (image.isEmpty()) {
            throw Plain.bad("Image name is required");
        }
        reference(image);
    }

    /// The image of this name.
    static ImageReference reference(String name) {
        if (name.isEmpty() || name.length() > LONGEST_IMAGE || name.contains("..") || name.indexOf('\\') >= 0) {
            throw Plain.bad("invalid image name");
        }
        try {
            return new ImageReference(name);
        } catch (IllegalArgumentException _) {
            throw Plain.bad("invalid image name");
        }
    }

    private static void checkPort(String side, String port) {
        var problem = "";
        if (port.isEmpty()) {
            problem = "empty port";
        } else if (!NUMBER.matcher(port).matches()) {
            problem = "non-numeric port";
        } else if (port.length() > 5 || Integer.parseInt(port) < 1 || Integer.parseInt(port) > 65_535) {
            problem = "port out of range";
        }
        if (!problem.isEmpty()) {
            throw Plain.bad(side + " port \"" + port + "\": " + problem);
        }
    }

    ImageReference image() {
        return reference(image);
    }

    /// As the client wrote it.
    String imageName() {
        return image;
    }

    boolean isDetached() {
        return detached;
    }

    boolean isInteractive() {
        return interactive && !detached;
    }

    /// What was asked for and does not hold here, by the names of its fields.
    List<String> notApplied() {
        var all = new ArrayList<String>();
        if (ioWeight != 0) {
            all.add("io_weight");
        }
        if (oomScoreAdj != 0) {
            all.add("oom_score_adj");
        }
        return all;
    }

    /// The container this asks for.
    ///
    /// @param config of its image; nothing if that is not known
    /// @param largest what it has of what the request does not limit
    /// @param published where its ports can be reached
    SandboxSpec toSpec(Tenant tenant, Optional<ImageConfig> config, Limits largest, Inet4Address published) {
        var argv = argv(config);
        checkVolumes();
        try {
            return new SandboxSpec(
                    SandboxId.next(),
                    tenant.name(),
                    ownName(),
                    image(),
                    new Command(
                            argv,
                            environment(),
                            null,
                            user.isEmpty() ? null : identity(),
                            isInteractive() ? SIZE : null),
                    List.of(),
                    limits(largest),
                    detached || interactive ? Job.OutputPolicy.DROP : Job.OutputPolicy.BLOCK,
                    labels(),
                    null,
                    null,
                    mounts(),
                    new Isolation(network(published), new Sysctls(sysctls), null, Rights.NONE),
                    null);
        } catch (IllegalArgumentException e) {
            throw Plain.bad(String.valueOf(e.getMessage()));
        }
    }

    private List<String> argv(Optional<ImageConfig> config) {
        var all = new ArrayList<>(config.map(ImageConfig::entrypoint).orElse(List.of()));
        all.addAll(command.isEmpty() ? config.map(ImageConfig::command).orElse(List.of()) : command);
        if (all.isEmpty()) {
            throw Plain.bad("no command provided and image has no default command");
        }
        return all;
    }

    private void checkVolumes() {
        namedVolumes.forEach((volume, path) -> {
            if (!VOLUME.matcher(volume).matches()) {
                throw Plain.bad("invalid volume name");
            }
            if (!path.startsWith("/")) {
                throw Plain.bad("invalid container volume path");
            }
        });
    }

    /// Its name, if a sandbox can be called so.
    private @Nullable String ownName() {
        try {
            SandboxSpec.checkName(name);
            return name;
        } catch (IllegalArgumentException _) {
            return null;
        }
    }

    private Map<String, String> environment() {
        var all = new LinkedHashMap<String, String>();
        for (var entry : env) {
            var equals = entry.indexOf('=');
            if (equals > 0) {
                all.put(entry.substring(0, equals), entry.substring(equals + 1));
            }
        }
        return all;
    }

    private String identity() {
        return NUMBER.matcher(user).matches() ? user + ":" + user : user;
    }

    private Limits limits(Limits largest) {
        var bytes = memory <= 0 || memory > largest.memoryBytes() / MIB ? largest.memoryBytes() : memory * MIB;
        return new Limits(
                bytes,
                CpuUnit.cpus(cpu, (int) largest.cpus()),
                Math.min(MOST_PIDS, largest.pids()),
                Limits.LONGEST_TIME,
                OUTPUT_BYTES,
                DISK_BYTES,
                cpuset,
                0,
                Limits.Io.UNLIMITED,
                0);
    }

    private Map<String, String> labels() {
        var all = new LinkedHashMap<String, String>();
        if (!name.isEmpty()) {
            all.put(ContainerJson.NAME, name);
        }
        if (!project.isEmpty()) {
            all.put(ContainerJson.PROJECT, project);
        }
        return all;
    }

    private List<Mount> mounts() {
        var all = new ArrayList<Mount>();
        volumes.forEach((source, target) -> all.add(new Mount.Bind(source, target, false)));
        namedVolumes.forEach((volume, target) -> all.add(new Mount.Volume(volume, target, false)));
        return all;
    }

    private Network network(Inet4Address published) {
        var all = new ArrayList<Network.PublishedPort>();
        ports.forEach((host, container) -> all.add(new Network.PublishedPort(
                Network.Protocol.TCP, published, Integer.parseInt(host), Integer.parseInt(container))));
        var circle = project.isEmpty() ? null : NetworkName.of(project);
        var aliases = circle == null || name.isEmpty() ? List.<String>of() : List.of(NetworkName.of(name));
        return new Network.Bridge(circle, aliases, all, Network.Egress.INTERNET);
    }
}
