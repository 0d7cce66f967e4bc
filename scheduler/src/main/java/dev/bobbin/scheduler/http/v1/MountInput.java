package dev.bobbin.scheduler.http.v1;

import dev.bobbin.runner.Mount;
import dev.bobbin.scheduler.http.exchange.JsonInput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Reads `mounts`: `[{type, source, target, read_only, size}]`.
final class MountInput {
    private static final Set<String> FIELDS = Set.of("type", "source", "target", "read_only", "size");

    private @Nullable String type;
    private @Nullable String source;
    private @Nullable String target;
    private boolean readOnly;
    private long bytes;

    private MountInput() {}

    static List<Mount> read(JsonInput value) throws IOException {
        var mounts = new ArrayList<Mount>();
        value.elements(Mount.MOST, each -> {
            var input = new MountInput();
            each.object(FIELDS, input::field);
            mounts.add(input.mount(each));
        });
        return mounts;
    }

    private void field(String name, JsonInput value) throws IOException {
        switch (name) {
            case "type" -> type = value.string();
            case "source" -> source = value.string();
            case "target" -> target = value.string();
            case "read_only" -> readOnly = value.bool();
            default -> bytes = size(value);
        }
    }

    private static long size(JsonInput value) throws IOException {
        var bytes = Quantity.bytes(value);
        if (bytes <= 0) {
            throw value.wrong("must be more than nothing");
        }
        return bytes;
    }

    private Mount mount(JsonInput at) {
        if (type == null) {
            throw at.wrong("say its type: \"volume\", \"bind\" or \"tmpfs\"");
        }
        if (target == null) {
            throw at.wrong("say its target, where it is seen in the sandbox");
        }
        return switch (type) {
            case "volume" -> new Mount.Volume(source(at, "the volume's name"), target, readOnly);
            case "bind" -> new Mount.Bind(source(at, "a path of this machine"), target, readOnly);
            case "tmpfs" -> tmpfs(at, target);
            default -> throw at.wrong("its type must be \"volume\", \"bind\" or \"tmpfs\"");
        };
    }

    private String source(JsonInput at, String what) {
        if (source == null) {
            throw at.wrong("say its source, " + what);
        }
        if (bytes != 0) {
            throw at.wrong("size is of a tmpfs; leave it out");
        }
        return source;
    }

    private Mount tmpfs(JsonInput at, String where) {
        if (source != null || readOnly) {
            throw at.wrong("a tmpfs is empty, so it has no source and is not read-only");
        }
        return new Mount.Tmpfs(where, bytes);
    }
}
