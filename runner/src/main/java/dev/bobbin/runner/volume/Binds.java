package dev.bobbin.runner.volume;

import dev.bobbin.runner.Mount;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.sandbox.MountOrder;
import dev.bobbin.runner.sandbox.SandboxException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What of this machine may be mounted. The answer to a caller; the init finds the source again beneath its prefix, by
/// handle, so that what changes in between leads nowhere else.
final class Binds {
    /// Those that may be written to first.
    private final List<Prefix> prefixes;

    /// @param named as the configuration names it
    /// @param real where that leads
    private record Prefix(Path named, Path real, boolean writable) {
        Optional<Path> beneath(Path source) {
            return List.of(named, real).stream()
                    .filter(source::startsWith)
                    .map(start -> start.relativize(source))
                    .findFirst();
        }
    }

    private Binds(List<Prefix> prefixes) {
        this.prefixes = prefixes;
    }

    /// @param ours directories of this Bobbin, none of which a sandbox may see
    /// @throws SandboxException if a prefix is no directory, or one of ours lies in it
    static Binds open(BindConfig config, List<Path> ours) {
        var prefixes = new ArrayList<Prefix>();
        config.all().distinct().forEach(named -> {
            try {
                var real = named.toRealPath();
                for (var own : ours) {
                    if (own.toRealPath().startsWith(real) || real.startsWith(own.toRealPath())) {
                        throw new SandboxException("host.bind-prefixes: " + named + " and " + own
                                + ", which is this server's own, overlap");
                    }
                }
                if (!Files.isDirectory(real)) {
                    throw new SandboxException("host.bind-prefixes: " + named + " is no directory");
                }
                prefixes.add(new Prefix(named, real, config.writablePrefixes().contains(named)));
            } catch (IOException e) {
                throw new SandboxException("host.bind-prefixes: there is no directory " + named, e);
            }
        });
        return new Binds(prefixes);
    }

    /// Whatever is not allowed or not there is a refusal.
    sealed interface Answer {
        record Allowed(MountOrder order) implements Answer {}

        record Refused(Refusal refusal) implements Answer {}
    }

    /// @param field of the request, for what it says
    Answer of(Mount.Bind bind, String field) {
        Path source;
        try {
            source = Path.of(bind.source()).normalize();
        } catch (InvalidPathException e) {
            return refused(Refusal.Reason.BAD_MOUNT, field, "is no path: " + e.getReason());
        }
        for (var prefix : prefixes) {
            var beneath = prefix.beneath(source);
            if (beneath.isPresent()) {
                return of(bind, field, source, prefix, beneath.get());
            }
        }
        return refused(
                Refusal.Reason.FORBIDDEN,
                field,
                source + " lies beneath none of the directories that host.bind-prefixes allows");
    }

    private static Answer of(Mount.Bind bind, String field, Path source, Prefix prefix, Path beneath) {
        if (!prefix.writable() && !bind.readOnly()) {
            return refused(
                    Refusal.Reason.FORBIDDEN,
                    field,
                    source + " may only be mounted with \"read_only\": true, since host.writable-bind-prefixes has not "
                            + prefix.named());
        }
        try {
            var real = source.toRealPath();
            if (!real.startsWith(prefix.real())) {
                return refused(Refusal.Reason.FORBIDDEN, field, source + " leads out of " + prefix.named());
            }
            if (!Files.isDirectory(real) && !Files.isRegularFile(real)) {
                return refused(Refusal.Reason.BAD_MOUNT, field, source + " is neither a directory nor a file");
            }
        } catch (IOException _) {
            return refused(Refusal.Reason.BAD_MOUNT, field, source + " is not there; make it first");
        }
        return new Answer.Allowed(MountOrder.bind(bind, prefix.real(), beneath));
    }

    private static Answer refused(Refusal.Reason reason, String field, String detail) {
        return new Answer.Refused(new Refusal(reason, field + ": " + detail, field));
    }
}
