package dev.bobbin.runner.seccomp;

import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.kernel.KernelException;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Filters that jobs ask for by name, ours and those of the configuration. A job's process loads its own one on top of
/// the filter that all have, and the kernel keeps to the stricter answer of the two: none gives back what that one
/// forbids.
public final class NamedFilters {
    private static final System.Logger LOG = System.getLogger(NamedFilters.class.getName());
    private static final byte[] NOTHING = {};

    private final Map<String, byte[]> programs;

    private NamedFilters(Map<String, byte[]> programs) {
        this.programs = programs;
    }

    /// Makes the programs, as far as that was not done before.
    ///
    /// @param own profiles of the configuration
    /// @throws IllegalArgumentException if one of those cannot be used, beginning with its name
    /// @throws KernelException if this machine lacks what is needed to make one of those
    public static NamedFilters open(Filters filters, Map<String, Path> own) throws IOException {
        var programs = new TreeMap<String, byte[]>();
        programs.put(BuiltIn.STANDARD, NOTHING);
        for (var name : BuiltIn.STRICTER) {
            try {
                programs.put(name, filters.onTop(name));
            } catch (KernelException e) {
                LOG.log(Level.WARNING, "jobs cannot ask for the profile " + name + ": " + e.getMessage());
            }
        }
        for (var each : own.entrySet()) {
            try {
                programs.put(each.getKey(), filters.onTop(each.getValue()));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(each.getKey() + ": " + each.getValue() + ": " + e.getMessage(), e);
            } catch (IOException e) {
                throw new IllegalArgumentException(each.getKey() + ": cannot read " + each.getValue(), e);
            }
        }
        return new NamedFilters(programs);
    }

    /// Why a job that asks for `name` is refused, if so.
    public Optional<Refusal> unknown(@Nullable String name) {
        return name == null || programs.containsKey(name)
                ? Optional.empty()
                : Optional.of(new Refusal(
                        Refusal.Reason.NO_SUCH_PROFILE,
                        "seccomp: this host has no profile \"" + name + "\", but "
                                + String.join(", ", programs.keySet()),
                        "seccomp"));
    }

    /// What the order of a job carries that asks for `name`, which is known; empty for nothing.
    public byte[] program(@Nullable String name) {
        return name == null ? NOTHING : Objects.requireNonNull(programs.get(name), name);
    }
}
