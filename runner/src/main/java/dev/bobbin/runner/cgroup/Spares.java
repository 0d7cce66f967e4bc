package dev.bobbin.runner.cgroup;

import dev.bobbin.runner.Limits;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What few jobs ask for: certain processors (`cpuset`) and rates of disks (`io`). Safe for many threads.
final class Spares {
    /* None of this costs a job that does not ask for it. In v1 each is a hierarchy of its own, in which the init makes a
     * cgroup only when an order names it; here is but the parent. In v2 a job has its one cgroup anyway, and the
     * controller is handed on to all of them when the first job asks. */

    private static final System.Logger LOG = System.getLogger(Spares.class.getName());
    private static final String CPUSET = "cpuset";
    private static final String IO = "io";
    private static final String BLKIO = "blkio";

    /// The parent of each kind in v1: `cpuset`, `blkio`.
    private final Map<String, Path> parents;
    /// Of v2 the cgroup that ours lies in, ours, and what could be handed on.
    private final @Nullable Path above;

    private final @Nullable Path ours;
    private final Set<String> offered;
    private final List<String> disks;
    private final Set<String> handedOn = new LinkedHashSet<>();
    /// Of which it was said that they are not.
    private final Set<String> lamented = new HashSet<>();
    /// What `above` hands on because of us.
    private final Set<String> becauseOfUs = new LinkedHashSet<>();

    private Spares(
            Map<String, Path> parents,
            @Nullable Path above,
            @Nullable Path ours,
            Set<String> offered,
            List<String> disks) {
        this.parents = parents;
        this.above = above;
        this.ours = ours;
        this.offered = offered;
        this.disks = disks;
    }

    /// Where there is nothing of it.
    static Spares none() {
        return new Spares(Map.of(), null, null, Set.of(), List.of());
    }

    /// @param noted where an earlier server made its parents
    /// @param ours the parent of all jobs in v2; `null` if they have none there
    /// @param disks the numbers of those that jobs read and write
    static Spares open(
            CgroupLayout layout, String name, Map<String, Path> noted, @Nullable Path ours, List<String> disks) {
        var parents = new LinkedHashMap<String, Path>();
        layout.spares().forEach((kind, own) -> {
            var parent = noted.getOrDefault(kind, own.resolve(name));
            try {
                Files.createDirectories(parent);
                if (kind.equals(CPUSET)) {
                    inherit(own, parent, "cpuset.cpus");
                    inherit(own, parent, "cpuset.mems");
                }
                parents.put(kind, parent);
            } catch (IOException e) {
                LOG.log(Level.DEBUG, "nothing is made in the hierarchy of " + kind, e);
            }
        });
        var above = ours == null ? null : ours.getParent();
        return new Spares(parents, above, ours, ours == null ? Set.of() : Set.copyOf(layout.sparesOfV2()), disks);
    }

    private static void inherit(Path from, Path to, String file) throws IOException {
        if (Files.readString(to.resolve(file)).isBlank()) {
            Files.writeString(
                    to.resolve(file), Files.readString(from.resolve(file)).strip());
        }
    }

    /// The parents of v1, by what the init is to call them.
    Map<String, Path> parents() {
        return parents;
    }

    /// Names of those of `limits` that cannot be kept. The first job that asks has its controller handed on by this.
    Set<String> missing(Limits limits) {
        var missing = new LinkedHashSet<String>();
        if (!limits.cpuset().isEmpty() && !parents.containsKey(CPUSET) && !handOn(CPUSET)) {
            missing.add(CPUSET);
        }
        if (!limits.io().equals(Limits.Io.UNLIMITED)
                && (disks.isEmpty() || (!parents.containsKey(BLKIO) && !handOn(IO)))) {
            missing.add(IO);
        }
        return missing;
    }

    private synchronized boolean handOn(String controller) {
        if (above == null || ours == null || !offered.contains(controller)) {
            return false;
        }
        if (handedOn.contains(controller)) {
            return true;
        }
        try {
            if (!UnifiedPlace.handsOn(above).contains(controller)) {
                UnifiedPlace.write(above, List.of(controller));
                becauseOfUs.add(controller);
            }
            UnifiedPlace.write(ours, List.of(controller));
            handedOn.add(controller);
            return true;
        } catch (IOException e) {
            var level = lamented.add(controller) ? Level.WARNING : Level.DEBUG;
            LOG.log(level, "hand the cgroup controller " + controller + " on below " + above, e);
            return false;
        }
    }

    /// The processors of which a job may name some.
    BitSet processors() throws IOException {
        var parent = parents.get(CPUSET);
        if (parent != null) {
            return Limits.processors(Files.readString(parent.resolve("cpuset.cpus")));
        }
        return above == null
                ? new BitSet()
                : Limits.processors(Files.readString(above.resolve("cpuset.cpus.effective")));
    }

    /// What must be written to keep `limits`, of which none is [#missing].
    List<String> writes(Limits limits) {
        var writes = new ArrayList<String>();
        if (!limits.cpuset().isEmpty()) {
            cpuset(limits.cpuset(), writes);
        }
        if (!limits.io().equals(Limits.Io.UNLIMITED)) {
            disks.forEach(disk -> io(limits.io(), disk, writes));
        }
        return writes;
    }

    private void cpuset(String processors, List<String> writes) {
        var parent = parents.get(CPUSET);
        if (parent == null) {
            writes.add("v2\ncpuset.cpus\n" + processors);
            return;
        }
        try {
            // without memory nothing can enter
            writes.add("cpuset\ncpuset.mems\n"
                    + Files.readString(parent.resolve("cpuset.mems")).strip());
        } catch (IOException e) {
            LOG.log(Level.WARNING, "the memory of this machine's processors is not known", e);
        }
        writes.add("cpuset\ncpuset.cpus\n" + processors);
    }

    private void io(Limits.Io io, String disk, List<String> writes) {
        var inV1 = parents.containsKey(BLKIO);
        var words = new ArrayList<String>();
        rate(io.readBytes(), inV1 ? "read_bps" : "rbps", words);
        rate(io.writeBytes(), inV1 ? "write_bps" : "wbps", words);
        rate(io.readOperations(), inV1 ? "read_iops" : "riops", words);
        rate(io.writeOperations(), inV1 ? "write_iops" : "wiops", words);
        if (!inV1) {
            writes.add("v2\nio.max\n" + disk + " " + String.join(" ", words));
            return;
        }
        for (var word : words) {
            var parts = word.split("=", 2);
            writes.add(BLKIO + "\nblkio.throttle." + parts[0] + "_device\n" + disk + " " + parts[1]);
        }
    }

    private static void rate(long most, String word, List<String> words) {
        if (most > 0) {
            words.add(word + "=" + most);
        }
    }

    /// Undoes what was handed on above us, unless others need it too, which the kernel knows.
    synchronized void takeBack() {
        for (var controller : becauseOfUs) {
            try {
                if (above != null) {
                    UnifiedPlace.keepBack(above, controller);
                }
            } catch (IOException e) {
                LOG.log(Level.DEBUG, controller + " is still handed on below " + above, e);
            }
        }
    }
}
