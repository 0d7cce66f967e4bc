package dev.bobbin.scheduler.http.v1;

import dev.bobbin.image.ImageReference;
import dev.bobbin.image.store.PullPolicy;
import dev.bobbin.runner.InputFile;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Stdin;
import dev.bobbin.scheduler.http.exchange.JsonInput;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.tenant.Tenant;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The body of `POST /v1/run`.
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
            "files",
            "limits",
            "network",
            "mounts",
            "labels",
            "on_disconnect",
            "output_policy");
    private static final Set<String> LIMITS = Set.of("memory", "cpus", "pids", "time", "output", "disk");
    private static final Set<String> FILE = Set.of("text", "base64", "mode");

    private static final int MOST_ARGUMENTS = 4096;
    private static final int MOST_VARIABLES = 4096;
    private static final int MOST_FILES = 1024;
    private static final int MOST_LABELS = 64;
    private static final int LONGEST_LABEL = 256;
    private static final int DEFAULT_MODE = 0644;

    private List<String> command = List.of();
    private @Nullable ImageReference image;
    private PullPolicy pull = PullPolicy.MISSING;
    private Map<String, String> env = Map.of();
    private @Nullable String workdir;
    private @Nullable String user;
    private Stdin stdin = new Stdin.Empty();
    private final List<InputFile> files = new ArrayList<>();
    private Limits limits = Limits.DEFAULT;
    private Map<String, String> labels = Map.of();
    private Job.OnDisconnect onDisconnect = Job.OnDisconnect.KILL;
    private Job.@Nullable OutputPolicy outputPolicy;

    private RunRequest() {}

    static RunRequest read(byte[] body) {
        var request = new RunRequest();
        JsonInput.readObject(body, FIELDS, request::field);
        return request;
    }

    /// The job this asks for.
    ///
    /// @param usualImage the image if the request names none
    /// @param usualPolicy what happens at the output limit if the request does not say
    Job.Run toJob(Tenant tenant, ImageReference usualImage, Job.OutputPolicy usualPolicy) {
        return valid(() -> new Job.Run(
                JobId.next(),
                tenant.name(),
                image == null ? usualImage : image,
                command,
                env,
                workdir,
                user,
                stdin,
                files,
                limits,
                onDisconnect,
                outputPolicy == null ? usualPolicy : outputPolicy,
                labels));
    }

    /// When a registry is asked for the image.
    PullPolicy pull() {
        return pull;
    }

    private void field(String name, JsonInput value) throws IOException {
        switch (name) {
            case "command" -> command = command(value);
            case "image" -> image = ImageRequest.reference(value);
            case "pull" -> pull = ImageRequest.policy(value);
            case "env" -> env = value.strings(MOST_VARIABLES);
            case "workdir" -> workdir = value.string();
            case "user" -> user = value.string();
            case "stdin" -> stdin = stdin(value);
            case "files" -> value.entries(MOST_FILES, (path, content) -> files.add(file(path, content)));
            case "limits" -> limits = limits(value);
            case "labels" -> labels = labels(value);
            case "network" -> network(value);
            case "on_disconnect" -> onDisconnect = onDisconnect(value);
            case "output_policy" -> outputPolicy = outputPolicy(value);
            default -> throw value.wrong("not offered yet; leave it out");
        }
    }

    private static List<String> command(JsonInput value) throws IOException {
        var command = value.list(MOST_ARGUMENTS);
        if (command.isEmpty()) {
            throw value.wrong("must not be empty; leave it out for the image's own command");
        }
        return command;
    }

    private static Stdin stdin(JsonInput value) throws IOException {
        var text = value.string();
        if (text.equals("open")) {
            return new Stdin.Open();
        }
        try {
            return text.isEmpty() ? new Stdin.Empty() : new Stdin.Bytes(text.getBytes(StandardCharsets.UTF_8));
        } catch (IllegalArgumentException e) {
            throw value.wrong(String.valueOf(e.getMessage()));
        }
    }

    private static InputFile file(String path, JsonInput value) throws IOException {
        var data = new byte[][] {null};
        var mode = new int[] {DEFAULT_MODE};
        if (value.isString()) {
            data[0] = value.string().getBytes(StandardCharsets.UTF_8);
        } else {
            value.object(FILE, (name, each) -> {
                switch (name) {
                    case "mode" -> mode[0] = mode(each);
                    case "text" -> data[0] = once(data[0], each.string().getBytes(StandardCharsets.UTF_8), each);
                    default -> data[0] = once(data[0], base64(each), each);
                }
            });
        }
        try {
            return new InputFile(path, data[0] == null ? new byte[0] : data[0], mode[0]);
        } catch (IllegalArgumentException e) {
            throw Rejected.invalid("files", "files: " + e.getMessage());
        }
    }

    private static byte[] once(byte @Nullable [] before, byte[] data, JsonInput value) {
        if (before != null) {
            throw value.wrong("a file has either text or base64");
        }
        return data;
    }

    private static byte[] base64(JsonInput value) throws IOException {
        try {
            return Base64.getDecoder().decode(value.string());
        } catch (IllegalArgumentException _) {
            throw value.wrong("must be base64");
        }
    }

    private static int mode(JsonInput value) throws IOException {
        var text = value.isString() ? value.string() : "";
        if (!text.matches("0?[0-7]{3}")) {
            throw value.wrong("must be octal permissions as text, such as \"0644\"");
        }
        return Integer.parseInt(text, 8);
    }

    private static Limits limits(JsonInput value) throws IOException {
        var usual = Limits.DEFAULT;
        var limits = new Limits[] {usual};
        value.object(LIMITS, (name, each) -> {
            var now = limits[0];
            var memory = name.equals("memory") ? Quantity.bytes(each) : now.memoryBytes();
            var cpus = name.equals("cpus") ? cpus(each) : now.cpus();
            var pids = name.equals("pids") ? pids(each) : now.pids();
            var time = name.equals("time") ? Quantity.duration(each) : now.time();
            var output = name.equals("output") ? Quantity.bytes(each) : now.outputBytes();
            var disk = name.equals("disk") ? Quantity.bytes(each) : now.diskBytes();
            try {
                limits[0] = new Limits(memory, cpus, pids, time, output, disk);
            } catch (IllegalArgumentException e) {
                throw Rejected.invalid(each.path(), "limits." + e.getMessage());
            }
        });
        return limits[0];
    }

    private static double cpus(JsonInput value) throws IOException {
        var cpus = Double.parseDouble(value.number());
        if (cpus <= 0) {
            throw value.wrong("must be between 0.01 and 4096");
        }
        return cpus;
    }

    private static int pids(JsonInput value) throws IOException {
        try {
            return Integer.parseInt(value.number());
        } catch (NumberFormatException _) {
            throw value.wrong("must be a whole number between 1 and 4194304");
        }
    }

    private static Map<String, String> labels(JsonInput value) throws IOException {
        var labels = value.strings(MOST_LABELS);
        labels.forEach((name, text) -> {
            if (name.isEmpty() || name.length() > LONGEST_LABEL || text.length() > LONGEST_LABEL) {
                throw Rejected.invalid(
                        "labels", "labels: names and values have at most 256 characters, names at least 1");
            }
        });
        return labels;
    }

    private static void network(JsonInput value) throws IOException {
        if (!value.string().equals("none")) {
            throw value.wrong("only \"none\" is offered yet");
        }
    }

    private static Job.OnDisconnect onDisconnect(JsonInput value) throws IOException {
        return switch (value.string()) {
            case "kill" -> Job.OnDisconnect.KILL;
            case "continue" -> Job.OnDisconnect.CONTINUE;
            default -> throw value.wrong("must be \"kill\" or \"continue\"");
        };
    }

    private static Job.OutputPolicy outputPolicy(JsonInput value) throws IOException {
        return switch (value.string()) {
            case "block" -> Job.OutputPolicy.BLOCK;
            case "kill" -> Job.OutputPolicy.KILL;
            case "drop" -> Job.OutputPolicy.DROP;
            default -> throw value.wrong("must be \"block\", \"drop\" or \"kill\"");
        };
    }

    /// The vocabulary refuses wrong values in sentences that start with the field's name.
    private static <T> T valid(Supplier<T> value) {
        try {
            return value.get();
        } catch (IllegalArgumentException e) {
            var message = String.valueOf(e.getMessage());
            var colon = message.indexOf(':');
            throw Rejected.invalid(colon < 0 ? null : message.substring(0, colon), message);
        }
    }
}
