package dev.bobbin.runner.host;

import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.cgroup.Cgroups;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;

/// Whether this machine has what limits name, and can keep those that most jobs do not have.
final class Fitness {
    private final Cgroups cgroups;
    private final boolean allowUnenforced;
    private final int mostOpenFiles = Machine.openFiles();

    /// @param allowUnenforced whether a limit that cannot be kept may be asked for
    Fitness(Cgroups cgroups, boolean allowUnenforced) {
        this.cgroups = cgroups;
        this.allowUnenforced = allowUnenforced;
    }

    /// Why nothing with these limits can run here, if so.
    Optional<Refusal> unfit(Limits limits) {
        if (limits.openFiles() > mostOpenFiles) {
            return Optional.of(
                    refusal("limits.nofile", "a process of this host has at most " + mostOpenFiles + " files open"));
        }
        var missing = cgroups.missing(limits);
        if (!allowUnenforced && !missing.isEmpty()) {
            return Optional.of(refusal(
                    "limits." + missing.iterator().next(),
                    "this host has no cgroup controller for that; make it available, or accept it with"
                            + " host.allow-unenforced-limits: on"));
        }
        return limits.cpuset().isEmpty() || missing.contains("cpuset") ? Optional.empty() : unfitProcessors(limits);
    }

    private Optional<Refusal> unfitProcessors(Limits limits) {
        try {
            var others = Limits.processors(limits.cpuset());
            others.andNot(cgroups.processors());
            return others.isEmpty()
                    ? Optional.empty()
                    : Optional.of(refusal("limits.cpuset", "this host's processors are " + cgroups.processors()));
        } catch (IOException e) {
            throw new UncheckedIOException("find the processors", e);
        }
    }

    private static Refusal refusal(String field, String why) {
        return new Refusal(Refusal.Reason.NO_HOST_FITS, field + ": " + why, field);
    }
}
