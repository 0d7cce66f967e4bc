package dev.bobbin.scheduler.http.v1;

import dev.bobbin.image.ImageReference;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.build.BuildOrder;
import dev.bobbin.runner.build.BuildRequest;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.tenant.Caller;
import dev.bobbin.scheduler.tenant.Scope;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What the query and the headers of a request to build say.
///
/// @param name of the image; `null` for none
/// @param file where the recipe is; `null` for what languages call theirs
/// @param secrets values by their ids, from headers, which unlike addresses nobody writes to a log
/// @param time of every file in new layers
record BuildQuery(
        @Nullable ImageReference name,
        @Nullable String file,
        @Nullable String target,
        boolean useCache,
        Network network,
        Limits limits,
        Job.OnDisconnect onDisconnect,
        Map<String, String> arguments,
        Map<String, byte[]> secrets,
        Instant time) {
    private static final HeaderName SECRET = HeaderNames.create("Bobbin-Build-Secret");
    private static final String ARGUMENT = "arg.";
    private static final String TIME = "SOURCE_DATE_EPOCH";
    /// What the eleven octal digits of an archive can say.
    private static final long LATEST = 0777_7777_7777L;
    private static final Set<String> KNOWN =
            Set.of("name", "file", "target", "no_cache", "network", "on_disconnect", "memory", "cpus", "time", "disk");
    private static final Limits USUAL = BuildOrder.USUAL_LIMITS;

    static BuildQuery read(ServerRequest request) {
        var arguments = new LinkedHashMap<String, String>();
        for (var name : request.query().names()) {
            if (name.startsWith(ARGUMENT) && name.length() > ARGUMENT.length()) {
                arguments.put(
                        name.substring(ARGUMENT.length()),
                        request.query().first(name).orElse(""));
            } else if (!KNOWN.contains(name)) {
                throw Rejected.invalid(name, name + ": is nothing that a build can be asked with");
            }
        }
        var time = time(arguments);
        return new BuildQuery(
                Jobs.query(request, "name")
                        .map(text -> Images.reference("name", text))
                        .orElse(null),
                Jobs.query(request, "file").orElse(null),
                Jobs.query(request, "target").orElse(null),
                !Jobs.flag(request, "no_cache"),
                network(Jobs.query(request, "network").orElse("bridge")),
                limits(request),
                onDisconnect(Jobs.query(request, "on_disconnect").orElse("kill")),
                arguments,
                secrets(request),
                time);
    }

    private static Network network(String text) {
        return switch (text) {
            case "none" -> Network.NONE;
            case "bridge" -> Network.Bridge.PLAIN;
            case "host" -> new Network.Host();
            default -> throw Rejected.invalid("network", "network: must be none, bridge or host");
        };
    }

    private static Job.OnDisconnect onDisconnect(String text) {
        return switch (text) {
            case "kill" -> Job.OnDisconnect.KILL;
            case "continue" -> Job.OnDisconnect.CONTINUE;
            default -> throw Rejected.invalid("on_disconnect", "on_disconnect: must be kill or continue");
        };
    }

    private static Limits limits(ServerRequest request) {
        var memory = bytes(request, "memory", USUAL.memoryBytes());
        var disk = bytes(request, "disk", USUAL.diskBytes());
        var time = Jobs.query(request, "time")
                .map(text -> Quantity.duration(text)
                        .orElseThrow(() -> Rejected.invalid("time", "time: must be a duration such as \"30s\"")))
                .orElse(USUAL.time());
        try {
            var cpus = Double.parseDouble(Jobs.query(request, "cpus").orElse("0"));
            return new Limits(memory, cpus, USUAL.pids(), time, USUAL.outputBytes(), disk);
        } catch (NumberFormatException _) {
            throw Rejected.invalid("cpus", "cpus: must be a number");
        } catch (IllegalArgumentException e) {
            throw Rejected.invalid(null, String.valueOf(e.getMessage()));
        }
    }

    private static long bytes(ServerRequest request, String name, long usual) {
        return Jobs.query(request, name)
                .map(text -> Quantity.bytes(text)
                        .orElseThrow(() -> Rejected.invalid(name, name + ": must be a size such as \"512MiB\"")))
                .orElse(usual);
    }

    private static Map<String, byte[]> secrets(ServerRequest request) {
        var secrets = new HashMap<String, byte[]>();
        for (var header : request.headers().all(SECRET, List::of)) {
            var equals = header.indexOf('=');
            try {
                secrets.put(
                        header.substring(0, Math.max(0, equals)),
                        Base64.getDecoder().decode(header.substring(equals + 1).strip()));
            } catch (IllegalArgumentException _) {
                throw Rejected.invalid(
                        SECRET.defaultCase(), SECRET.defaultCase() + ": is ID=VALUE, the value in base64");
            }
        }
        return secrets;
    }

    /// The whole request.
    ///
    /// @param recipe its text; `null` if it is in the context
    BuildRequest request(Caller caller, @Nullable String recipe) {
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

    private static Instant time(Map<String, String> arguments) {
        var text = arguments.get(TIME);
        if (text == null) {
            return BuildOrder.USUAL_TIME;
        }
        try {
            var seconds = Long.parseLong(text);
            if (seconds >= 0 && seconds <= LATEST) {
                return Instant.ofEpochSecond(seconds);
            }
        } catch (NumberFormatException _) {
            // refused below
        }
        throw Rejected.invalid("arg." + TIME, "arg." + TIME + ": is a number of seconds since 1970, at most " + LATEST);
    }
}
