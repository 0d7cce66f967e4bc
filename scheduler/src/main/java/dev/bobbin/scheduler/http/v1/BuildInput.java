package dev.bobbin.scheduler.http.v1;

import dev.bobbin.image.ImageReference;
import dev.bobbin.runner.InputFile;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.build.BuildOrder;
import dev.bobbin.runner.build.BuildRequest;
import dev.bobbin.scheduler.http.exchange.JsonInput;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.tenant.Caller;
import dev.bobbin.scheduler.tenant.Scope;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What is to be built and how: a query and its headers, the members of a JSON body, or both, each thing said once.
final class BuildInput {
    private static final HeaderName SECRET = HeaderNames.create("Bobbin-Build-Secret");
    private static final String ARGUMENT = "arg.";
    private static final String TIME = "SOURCE_DATE_EPOCH";
    /// What the eleven octal digits of an archive can say.
    private static final long LATEST = 0777_7777_7777L;
    private static final int MOST_FILES = 10_000;
    private static final Set<String> LIMITS = Set.of("memory", "cpus", "time", "disk");
    private static final Set<String> MEMBERS = Set.of(
            "recipe",
            "files",
            "name",
            "file",
            "target",
            "args",
            "no_cache",
            "network",
            "limits",
            "secrets",
            "on_disconnect");

    private final String within;
    /// Members that were said, wherever.
    private final Set<String> said = new HashSet<>();
    private Limits limits;
    private final List<InputFile> files = new ArrayList<>();
    private final Map<String, String> arguments = new LinkedHashMap<>();
    private final Map<String, byte[]> secrets = new HashMap<>();
    private @Nullable String recipe;
    private @Nullable ImageReference name;
    private @Nullable String file;
    private @Nullable String target;
    private boolean useCache = true;
    private Network network = Network.Bridge.PLAIN;
    private Job.OnDisconnect onDisconnect = Job.OnDisconnect.KILL;
    private Instant time = BuildOrder.USUAL_TIME;

    private BuildInput(String within, Limits usual) {
        this.within = within;
        this.limits = usual;
    }

    /// What the query and the headers of a request say. Secrets are in headers, which unlike addresses nobody writes to
    /// a log.
    ///
    /// @param usual limits of each command if nothing is said
    static BuildInput ofQuery(ServerRequest request, Limits usual) {
        var input = new BuildInput("", usual);
        for (var key : request.query().names()) {
            input.query(key, Jobs.query(request, key).orElse(""), request);
        }
        for (var header : request.headers().all(SECRET, List::of)) {
            input.secret(header);
        }
        input.readTime(ARGUMENT);
        return input;
    }

    /// The request that is the value of a field, for a job that nobody waits for.
    static BuildInput readDetached(JsonInput value, Limits usual) throws IOException {
        var input = new BuildInput(value.path() + ".", usual);
        input.onDisconnect = Job.OnDisconnect.CONTINUE;
        value.object(MEMBERS, input::member);
        JobInput.requireNobody(input.within, input.onDisconnect);
        input.finishBody();
        return input;
    }

    /// Adds what a JSON body says.
    void readBody(byte[] body) {
        JsonInput.readObject(body, MEMBERS, this::member);
        finishBody();
    }

    private void finishBody() {
        if (recipe == null) {
            throw Rejected.invalid(within + "recipe", within + "recipe: is required");
        }
        readTime(within + "args.");
    }

    private void query(String key, String text, ServerRequest request) {
        if (key.startsWith(ARGUMENT) && key.length() > ARGUMENT.length()) {
            said.add("args");
            arguments.put(key.substring(ARGUMENT.length()), text);
            return;
        }
        said.add(LIMITS.contains(key) ? "limits" : key);
        switch (key) {
            case "name" -> name = Images.reference(key, text);
            case "file" -> file = text;
            case "target" -> target = text;
            case "no_cache" -> useCache = !Jobs.flag(request, key);
            case "network" -> network = network(key, text);
            case "on_disconnect" -> onDisconnect = JobInput.onDisconnect(key, text);
            case "memory", "cpus", "time", "disk" -> limits = limit(key, text);
            default -> throw Rejected.invalid(key, key + ": is nothing that a build can be asked with");
        }
    }

    private Limits limit(String key, String text) {
        var now = limits;
        try {
            return new Limits(
                    key.equals("memory") ? bytes(key, text) : now.memoryBytes(),
                    key.equals("cpus") ? cpus(text) : now.cpus(),
                    now.pids(),
                    key.equals("time") ? duration(text) : now.time(),
                    now.outputBytes(),
                    key.equals("disk") ? bytes(key, text) : now.diskBytes());
        } catch (IllegalArgumentException e) {
            throw Rejected.invalid(key, String.valueOf(e.getMessage()));
        }
    }

    private static Duration duration(String text) {
        return Quantity.duration(text)
                .orElseThrow(() -> Rejected.invalid("time", "time: must be a duration such as \"30s\""));
    }

    private static long bytes(String key, String text) {
        return Quantity.bytes(text)
                .orElseThrow(() -> Rejected.invalid(key, key + ": must be a size such as \"512MiB\""));
    }

    private static double cpus(String text) {
        try {
            return Double.parseDouble(text);
        } catch (NumberFormatException _) {
            throw Rejected.invalid("cpus", "cpus: must be a number");
        }
    }

    private static Network network(String field, String text) {
        return switch (text) {
            case "none" -> Network.NONE;
            case "bridge" -> Network.Bridge.PLAIN;
            case "host" -> new Network.Host();
            default -> throw Rejected.invalid(field, field + ": must be none, bridge or host");
        };
    }

    private void secret(String header) {
        said.add("secrets");
        var equals = header.indexOf('=');
        if (equals < 1) {
            throw wrongSecret();
        }
        try {
            secrets.put(
                    header.substring(0, equals),
                    Base64.getDecoder().decode(header.substring(equals + 1).strip()));
        } catch (IllegalArgumentException _) {
            throw wrongSecret();
        }
    }

    private static Rejected wrongSecret() {
        return Rejected.invalid(SECRET.defaultCase(), SECRET.defaultCase() + ": is ID=VALUE, the value in base64");
    }

    private void member(String member, JsonInput value) throws IOException {
        if (!said.add(member)) {
            throw value.wrong("is said in the query or a header already");
        }
        switch (member) {
            case "recipe" -> recipe = value.string();
            case "files" -> value.entries(MOST_FILES, (path, content) -> files.add(JobInput.file(path, content)));
            case "name" -> name = Images.reference(value.path(), value.string());
            case "file" -> file = value.string();
            case "target" -> target = value.string();
            case "args" -> arguments.putAll(value.strings(JobInput.MOST_VARIABLES));
            case "no_cache" -> useCache = !value.bool();
            case "network" -> network = network(value.path(), value.string());
            case "limits" -> limits = JobInput.limits(value, LIMITS, limits);
            case "secrets" ->
                value.strings(JobInput.MOST_VARIABLES)
                        .forEach((id, text) -> secrets.put(id, text.getBytes(StandardCharsets.UTF_8)));
            default -> onDisconnect = JobInput.onDisconnect(value);
        }
    }

    /// @param before what comes before the argument's name in the field's
    private void readTime(String before) {
        var text = arguments.get(TIME);
        if (text == null) {
            return;
        }
        try {
            var seconds = Long.parseLong(text);
            if (seconds >= 0 && seconds <= LATEST) {
                time = Instant.ofEpochSecond(seconds);
                return;
            }
        } catch (NumberFormatException _) {
            // refused below
        }
        var field = before + TIME;
        throw Rejected.invalid(field, field + ": is a number of seconds since 1970, at most " + LATEST);
    }

    /// Files that the body spelled out.
    List<InputFile> files() {
        return List.copyOf(files);
    }

    Job.OnDisconnect onDisconnect() {
        return onDisconnect;
    }

    /// The whole request, as a job of its own.
    BuildRequest toRequest(Caller caller) {
        var order = new BuildOrder(
                JobId.next(),
                caller.tenant().name(),
                name,
                useCache,
                limits,
                network,
                caller.may(Scope.ADMIN),
                secrets,
                time);
        return new BuildRequest(order, recipe, file, target, arguments);
    }
}
