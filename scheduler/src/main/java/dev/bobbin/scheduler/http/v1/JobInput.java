package dev.bobbin.scheduler.http.v1;

import dev.bobbin.runner.InputFile;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Stdin;
import dev.bobbin.runner.Terminal;
import dev.bobbin.scheduler.http.exchange.JsonInput;
import dev.bobbin.scheduler.http.exchange.Rejected;
import io.helidon.webserver.http.ServerRequest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Reads the fields that requests for work share, each in the one way there is.
final class JobInput {
    static final Set<String> ALL_LIMITS =
            Set.of("memory", "cpus", "pids", "time", "output", "disk", "cpuset", "cpu_weight", "io", "nofile");
    static final int MOST_VARIABLES = 4096;
    static final int MOST_FILES = 1024;

    private static final Set<String> FILE = Set.of("text", "base64", "mode");
    private static final Set<String> RATES = Set.of("read_bps", "write_bps", "read_iops", "write_iops");
    private static final int MOST_ARGUMENTS = 4096;
    private static final int MOST_LABELS = 64;
    private static final int LONGEST_LABEL = 256;
    private static final int USUAL_ROWS = 24;
    private static final int USUAL_COLUMNS = 80;
    private static final int DEFAULT_MODE = 0644;

    private JobInput() {}

    /// @param instead what leaving it out would mean
    static List<String> command(JsonInput value, String instead) throws IOException {
        var command = value.list(MOST_ARGUMENTS);
        if (command.isEmpty()) {
            throw value.wrong("must not be empty" + instead);
        }
        return command;
    }

    static Stdin stdin(JsonInput value) throws IOException {
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

    static InputFile file(String path, JsonInput value) throws IOException {
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

    /// @param offered which of them this kind of work has
    static Limits limits(JsonInput value, Set<String> offered) throws IOException {
        return limits(value, offered, Limits.DEFAULT);
    }

    /// @param usual what counts where nothing is said
    static Limits limits(JsonInput value, Set<String> offered, Limits usual) throws IOException {
        var limits = new Limits[] {usual};
        value.object(offered, (name, each) -> {
            var now = limits[0];
            var memory = name.equals("memory") ? Quantity.bytes(each) : now.memoryBytes();
            var cpus = name.equals("cpus") ? cpus(each) : now.cpus();
            var pids = name.equals("pids") ? pids(each) : now.pids();
            var time = name.equals("time") ? Quantity.duration(each) : now.time();
            var output = name.equals("output") ? Quantity.bytes(each) : now.outputBytes();
            var disk = name.equals("disk") ? Quantity.bytes(each) : now.diskBytes();
            try {
                limits[0] = new Limits(
                        memory,
                        cpus,
                        pids,
                        time,
                        output,
                        disk,
                        name.equals("cpuset") ? cpuset(each) : now.cpuset(),
                        name.equals("cpu_weight") ? count(each, 1_000) : now.cpuWeight(),
                        name.equals("io") ? io(each) : now.io(),
                        name.equals("nofile") ? count(each, Integer.MAX_VALUE) : now.openFiles());
            } catch (IllegalArgumentException e) {
                throw Rejected.invalid(each.path(), "limits." + e.getMessage());
            }
        });
        return limits[0];
    }

    private static String cpuset(JsonInput value) throws IOException {
        var text = value.string();
        if (text.isEmpty()) {
            throw value.wrong("must be numbers of processors such as \"0-1,3\"");
        }
        return text;
    }

    private static int count(JsonInput value, int most) throws IOException {
        var text = value.number();
        if (!text.matches("[1-9][0-9]{0,9}") || Long.parseLong(text) > most) {
            throw value.wrong("must be a whole number between 1 and " + most);
        }
        return Integer.parseInt(text);
    }

    private static Limits.Io io(JsonInput value) throws IOException {
        var io = new Limits.Io[] {Limits.Io.UNLIMITED};
        value.object(RATES, (name, each) -> {
            var now = io[0];
            var rate = name.endsWith("_bps") ? Quantity.bytes(each) : count(each, Integer.MAX_VALUE);
            if (rate == 0) {
                throw each.wrong("must be more than 0; leave it out for no limit");
            }
            io[0] = new Limits.Io(
                    name.equals("read_bps") ? rate : now.readBytes(),
                    name.equals("write_bps") ? rate : now.writeBytes(),
                    name.equals("read_iops") ? rate : now.readOperations(),
                    name.equals("write_iops") ? rate : now.writeOperations());
        });
        return io[0];
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

    static Map<String, String> labels(JsonInput value) throws IOException {
        var labels = value.strings(MOST_LABELS);
        labels.forEach((name, text) -> {
            if (name.isEmpty() || name.length() > LONGEST_LABEL || text.length() > LONGEST_LABEL) {
                throw Rejected.invalid(
                        "labels", "labels: names and values have at most 256 characters, names at least 1");
            }
        });
        return labels;
    }

    static Job.OnDisconnect onDisconnect(JsonInput value) throws IOException {
        return onDisconnect(value.path(), value.string());
    }

    static Job.OnDisconnect onDisconnect(String field, String text) {
        return switch (text) {
            case "kill" -> Job.OnDisconnect.KILL;
            case "continue" -> Job.OnDisconnect.CONTINUE;
            default -> throw Rejected.invalid(field, field + ": must be \"kill\" or \"continue\"");
        };
    }

    static Job.OutputPolicy outputPolicy(JsonInput value) throws IOException {
        return switch (value.string()) {
            case "block" -> Job.OutputPolicy.BLOCK;
            case "kill" -> Job.OutputPolicy.KILL;
            case "drop" -> Job.OutputPolicy.DROP;
            default -> throw value.wrong("must be \"block\", \"drop\" or \"kill\"");
        };
    }

    /// `{rows, columns}`
    static Terminal terminal(JsonInput value) throws IOException {
        var size = new int[] {USUAL_ROWS, USUAL_COLUMNS};
        value.object(Set.of("rows", "columns"), (name, each) -> size[name.equals("rows") ? 0 : 1] = side(each));
        return terminal(value.path() + ".", size[0], size[1]);
    }

    /// Refuses to show a terminal where none was asked for.
    static void requireTerminal(@Nullable Terminal terminal) {
        if (terminal == null) {
            throw Rejected.invalid(
                    "terminal", "terminal: bytes both ways are those of a terminal; say {} or its rows and columns");
        }
    }

    /// `?rows=&columns=`
    static Terminal terminal(ServerRequest request) {
        return terminal("", side(request, "rows", USUAL_ROWS), side(request, "columns", USUAL_COLUMNS));
    }

    private static int side(ServerRequest request, String name, int usual) {
        return Jobs.query(request, name)
                .map(text -> (int) Math.min(Integer.MAX_VALUE, Jobs.number(name, text)))
                .orElse(usual);
    }

    /// @param within where in the body the size is
    static Terminal terminal(String within, int rows, int columns) {
        return valid(within, () -> new Terminal(rows, columns));
    }

    static int side(JsonInput value) throws IOException {
        var text = value.number();
        if (!text.matches("[0-9]{1,9}")) {
            throw value.wrong("must be a number of characters");
        }
        return Integer.parseInt(text);
    }

    /// Refuses a job that nobody waits for and that shall end when somebody leaves.
    ///
    /// @param within as in [#valid]
    static void requireNobody(String within, Job.@Nullable OnDisconnect onDisconnect) {
        if (onDisconnect == Job.OnDisconnect.KILL) {
            var field = within + "on_disconnect";
            throw Rejected.invalid(field, field + ": nobody waits for this job, so nobody's leaving can end it");
        }
    }

    static Rejected notOffered(JsonInput value) {
        return value.wrong("not offered yet; leave it out");
    }

    /// The vocabulary refuses wrong values in sentences that start with the field's name.
    ///
    /// @param within where in the body these fields are, empty or with a dot at its end
    static <T> T valid(String within, Supplier<T> value) {
        try {
            return value.get();
        } catch (IllegalArgumentException e) {
            var message = within + e.getMessage();
            var colon = message.indexOf(':');
            throw Rejected.invalid(colon < 0 ? null : message.substring(0, colon), message);
        }
    }
}
