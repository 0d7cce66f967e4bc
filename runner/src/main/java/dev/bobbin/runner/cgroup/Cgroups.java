package dev.bobbin.runner.cgroup;

import dev.bobbin.runner.Limits;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The cgroups of one Bobbin: in every hierarchy a parent named after the run directory, below it one for the
/// supervising processes and one for each job. Made at the start, removed at the end. Safe for many threads.
public final class Cgroups implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Cgroups.class.getName());
    private static final String SUPERVISOR = "supervisor";
    /// Of the supervising processes those that have much output to read; its share is that of a job.
    private static final String BULK = "bulk";
    private static final String V2 = "v2";
    /// What the name of the cgroup ends in to which the server moves if it must.
    private static final String LEAF = ".server";
    /// Sixteen times what a job has by default, in the units of v1 and of v2.
    private static final int USUAL_SHARES = 1024;

    private static final int USUAL_WEIGHT = 100;
    private static final int SUPERVISOR_SHARES = 16 * USUAL_SHARES;
    private static final int SUPERVISOR_WEIGHT = 16 * USUAL_WEIGHT;
    private static final String CPU_WEIGHT = "cpu_weight";
    private static final int CPU_PERIOD_MICROS = 100_000;
    private static final int SMALLEST_QUOTA_MICROS = 1000;
    private static final long BUSY_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    /// What a kind is called on the init's command line, and its parent directory.
    private final Map<String, Path> parents;
    /// The kind in which a controller is found.
    private final Map<String, String> kinds;
    /// Whether a file is there: the kernel's offer does not change, and every order asks.
    private final Map<String, Boolean> offered = new ConcurrentHashMap<>();

    private @Nullable UnifiedPlace place;

    private Spares spares = Spares.none();

    private Cgroups(Map<String, Path> parents, Map<String, String> kinds) {
        this.parents = parents;
        this.kinds = kinds;
    }

    /// The name of the parents of the Bobbin that holds `runDir`: several run side by side on one machine.
    public static String name(Path runDir) {
        return "bobbin-" + UUID.nameUUIDFromBytes(runDir.toString().getBytes(StandardCharsets.UTF_8));
    }

    /// Makes the parents named `name`, or finds those that an earlier server noted in the file `memory`: jobs of before
    /// live there, even if this server was started in another cgroup.
    ///
    /// @param disks the numbers of those that jobs read and write, `MAJOR:MINOR`
    public static Cgroups open(String name, Path memory, List<String> disks) throws IOException {
        return open(CgroupLayout.detect(), name, memory, disks);
    }

    static Cgroups open(CgroupLayout layout, String name, Path memory) throws IOException {
        return open(layout, name, memory, List.of());
    }

    static Cgroups open(CgroupLayout layout, String name, Path memory, List<String> disks) throws IOException {
        var parents = new LinkedHashMap<String, Path>();
        var kinds = new LinkedHashMap<String, String>();
        var noted = noted(memory);
        layout.own().forEach((controller, own) -> {
            var kind = layout.v2().contains(controller) ? V2 : controller;
            var parent = noted.getOrDefault(kind, own.resolve(name));
            var shared = parents.entrySet().stream()
                    .filter(known -> known.getValue().equals(parent))
                    .findFirst();
            kinds.put(controller, shared.map(Map.Entry::getKey).orElse(kind));
            if (shared.isEmpty()) {
                parents.put(kind, parent);
            }
        });
        var cgroups = new Cgroups(parents, kinds);
        if (!layout.v2().isEmpty()) {
            cgroups.delegate(layout);
        }
        for (var entry : List.copyOf(parents.entrySet())) {
            try {
                var supervisor = Files.createDirectories(entry.getValue().resolve(SUPERVISOR));
                prefer(supervisor.resolve("cpu.shares"), SUPERVISOR_SHARES);
                prefer(supervisor.resolve("cpu.weight"), SUPERVISOR_WEIGHT);
                if (entry.getKey().equals(kinds.get("cpu"))) {
                    Files.createDirectories(entry.getValue().resolve(BULK));
                }
            } catch (IOException e) {
                cgroups.forgo(entry.getKey(), e);
            }
        }
        cgroups.spares = Spares.open(layout, name, noted, parents.get(V2), disks);
        var all = new LinkedHashMap<>(parents);
        all.putAll(cgroups.spares.parents());
        Files.write(
                memory,
                all.entrySet().stream()
                        .map(entry -> entry.getKey() + "=" + entry.getValue())
                        .toList());
        return cgroups;
    }

    /// Does without the hierarchy `kind`, in which nothing can be made or written, as in a container that shows its
    /// cgroups read-only. Limits that it would have kept are then among [#unenforced()].
    private void forgo(String kind, IOException why) {
        LOG.log(Level.WARNING, "no cgroups can be made in " + parents.get(kind) + ": " + why.getMessage());
        parents.remove(kind);
        kinds.values().removeIf(kind::equals);
    }

    /// Gives the supervising processes the processor before any job, so that a job that takes all it can get does not
    /// hold up the start or the end of another.
    private static void prefer(Path file, int value) throws IOException {
        if (Files.exists(file)) {
            Files.writeString(file, Integer.toString(value));
        }
    }

    private static Map<String, Path> noted(Path memory) throws IOException {
        var noted = new LinkedHashMap<String, Path>();
        if (Files.exists(memory)) {
            for (var line : Files.readAllLines(memory)) {
                var equals = line.indexOf('=');
                if (equals > 0 && Files.isDirectory(Path.of(line.substring(equals + 1)))) {
                    noted.put(line.substring(0, equals), Path.of(line.substring(equals + 1)));
                }
            }
        }
        return noted;
    }

    /// Lets the v2 parent hand its controllers on; that of an earlier server may.
    private void delegate(CgroupLayout layout) throws IOException {
        var parent = parents.get(V2);
        var own = layout.own().get(layout.v2().getFirst());
        if (parent == null || own == null) {
            return;
        }
        if (!Files.exists(parent)) {
            place = UnifiedPlace.handOn(own, parent.getFileName() + LEAF, layout.v2());
            Files.createDirectories(parent);
        }
        UnifiedPlace.write(parent, layout.v2());
    }

    /// Names of limits that this machine cannot keep: `memory`, `cpus`, `pids` where there is no controller for
    /// them, and `swap` where a job could swap past its limit because the kernel does not count that. Empty is as
    /// it should be.
    public Set<String> unenforced() throws IOException {
        return unenforced(Files.readAllLines(Path.of("/proc/swaps")));
    }

    /// @param swaps lines of `/proc/swaps`: a heading, then one for each swap area
    Set<String> unenforced(List<String> swaps) {
        var unenforced = new TreeSet<String>();
        var memory = kinds.get("memory");
        if (memory == null) {
            unenforced.add("memory");
        } else {
            var counter = memory.equals(V2) ? "memory.swap.max" : "memory.memsw.limit_in_bytes";
            if (swaps.size() > 1 && !exists("memory", counter)) {
                unenforced.add("swap");
            }
        }
        var cpu = kinds.get("cpu");
        if (cpu == null || !exists("cpu", cpu.equals(V2) ? "cpu.max" : "cpu.cfs_quota_us")) {
            unenforced.add("cpus");
        }
        if (!kinds.containsKey("pids")) {
            unenforced.add("pids");
        }
        return unenforced;
    }

    /// Arguments for the init that say where cgroups are made.
    public List<String> arguments() {
        var arguments = new ArrayList<String>();
        parents.forEach((kind, parent) -> {
            arguments.addAll(List.of("--cgroup", kind + "=" + parent));
            arguments.addAll(List.of("--supervisor-cgroup", kind + "=" + parent.resolve(SUPERVISOR)));
        });
        spares.parents().forEach((kind, parent) -> arguments.addAll(List.of("--spare-cgroup", kind + "=" + parent)));
        return arguments;
    }

    /// What must be written to keep `limits`, in order: `KIND "\n" file "\n" value`.
    public List<String> writes(Limits limits) {
        var writes = new ArrayList<String>();
        var memory = kinds.get("memory");
        if (memory != null && memory.equals(V2)) {
            add(writes, "memory", "memory.max", limits.memoryBytes());
            if (offers("memory", "memory.swap.max")) {
                add(writes, "memory", "memory.swap.max", 0);
            }
            add(writes, "memory", "memory.oom.group", 0);
        } else if (memory != null) {
            add(writes, "memory", "memory.limit_in_bytes", limits.memoryBytes());
            if (offers("memory", "memory.memsw.limit_in_bytes")) {
                add(writes, "memory", "memory.memsw.limit_in_bytes", limits.memoryBytes());
            }
        }
        if (kinds.containsKey("pids")) {
            add(writes, "pids", "pids.max", limits.pids());
        }
        var cpu = kinds.get("cpu");
        if (cpu != null && limits.cpus() > 0) {
            var quota = Math.max(SMALLEST_QUOTA_MICROS, Math.round(limits.cpus() * CPU_PERIOD_MICROS));
            if (cpu.equals(V2) && offers("cpu", "cpu.max")) {
                writes.add(V2 + "\ncpu.max\n" + quota + " " + CPU_PERIOD_MICROS);
            } else if (!cpu.equals(V2) && offers("cpu", "cpu.cfs_quota_us")) {
                add(writes, "cpu", "cpu.cfs_quota_us", quota);
            }
        }
        if (limits.isRare()) {
            rare(limits, writes);
        }
        return writes;
    }

    private void rare(Limits limits, List<String> writes) {
        var missing = missing(limits);
        if (limits.cpuWeight() > 0 && !missing.contains(CPU_WEIGHT)) {
            if (V2.equals(kinds.get("cpu"))) {
                add(writes, "cpu", "cpu.weight", limits.cpuWeight());
            } else {
                add(writes, "cpu", "cpu.shares", Math.max(2, limits.cpuWeight() * USUAL_SHARES / USUAL_WEIGHT));
            }
        }
        var cpuset = missing.contains("cpuset") ? "" : limits.cpuset();
        var io = missing.contains("io") ? Limits.Io.UNLIMITED : limits.io();
        writes.addAll(spares.writes(limits.on(cpuset, 0, io, 0)));
    }

    /// Names of limits that few jobs have, these do, and this machine cannot keep: `cpuset`, `cpu_weight`, `io`.
    public Set<String> missing(Limits limits) {
        if (!limits.isRare()) {
            return Set.of();
        }
        var missing = spares.missing(limits);
        if (limits.cpuWeight() > 0 && !offers("cpu", V2.equals(kinds.get("cpu")) ? "cpu.weight" : "cpu.shares")) {
            missing.add(CPU_WEIGHT);
        }
        return missing;
    }

    /// The processors of which a job may name some.
    public BitSet processors() throws IOException {
        return spares.processors();
    }

    private void add(List<String> writes, String controller, String file, long value) {
        writes.add(kinds.get(controller) + "\n" + file + "\n" + value);
    }

    private boolean exists(String controller, String file) {
        var kind = kinds.get(controller);
        var parent = kind == null ? null : parents.get(kind);
        return parent != null && Files.exists(parent.resolve(SUPERVISOR).resolve(file));
    }

    private boolean offers(String controller, String file) {
        return offered.computeIfAbsent(file, _ -> exists(controller, file));
    }

    /// What the init reads at a job's end: `KIND "\n" file`.
    public List<String> reads(Limits limits) {
        var reads = new ArrayList<String>();
        kinds.forEach((controller, kind) -> {
            switch (controller + (kind.equals(V2) ? "2" : "1")) {
                case "memory1" -> {
                    reads.add(kind + "\nmemory.oom_control");
                    reads.add(kind + "\nmemory.max_usage_in_bytes");
                    reads.add(kind + "\nmemory.limit_in_bytes");
                }
                case "memory2" -> {
                    reads.add(kind + "\nmemory.events");
                    reads.add(kind + "\nmemory.peak");
                }
                case "cpuacct1" -> {
                    reads.add(kind + "\ncpuacct.usage_user");
                    reads.add(kind + "\ncpuacct.usage_sys");
                }
                case "cpu1" -> {
                    if (limits.cpus() > 0) {
                        reads.add(kind + "\ncpu.stat");
                    }
                }
                case "cpu2" -> reads.add(kind + "\ncpu.stat");
                default -> {}
            }
        });
        return reads;
    }

    /// What the cgroups of the sandbox `id` say now; for one whose PID 1 can no longer be asked.
    public Evidence evidence(String id) {
        var texts = new ArrayList<String>();
        for (var read : reads(Limits.DEFAULT)) {
            var end = read.indexOf('\n');
            var parent = parents.get(read.substring(0, end));
            try {
                if (parent != null) {
                    texts.add(read + "\n" + Files.readString(parent.resolve(id).resolve(read.substring(end + 1))));
                }
            } catch (IOException e) {
                LOG.log(Level.DEBUG, "nothing is known of " + read.substring(end + 1) + " of " + id, e);
            }
        }
        return Evidence.parse(texts);
    }

    /// What the cgroups of the sandbox `id` say of what it uses now.
    public CgroupSample sample(String id) {
        var files = new LinkedHashMap<String, String>();
        kinds.forEach((controller, kind) -> {
            var parent = parents.get(kind);
            if (parent == null) {
                return;
            }
            var names = new ArrayList<>(
                    switch (controller) {
                        case "memory" -> CgroupSample.MEMORY;
                        case "cpu" -> CgroupSample.CPU;
                        case "cpuacct" -> CgroupSample.CPU_ACCOUNT;
                        default -> CgroupSample.PIDS;
                    });
            names.add(CgroupSample.PROCESSES);
            for (var name : names) {
                try {
                    files.put(name, Files.readString(parent.resolve(id).resolve(name)));
                } catch (IOException _) {
                    // this machine has no such file
                }
            }
        });
        return CgroupSample.of(new Counters(files));
    }

    /// What the texts of an END record say.
    public static Evidence evidence(List<String> texts) {
        return Evidence.parse(texts);
    }

    /// Removes the cgroups of the sandbox `id`, which must have no processes any more.
    public void remove(String id) {
        remove(everywhere().map(parent -> parent.resolve(id)).toList());
    }

    private Stream<Path> everywhere() {
        return Stream.concat(parents.values().stream(), spares.parents().values().stream());
    }

    /// Names of sandboxes that have a cgroup.
    public Set<String> present() throws IOException {
        var present = new TreeSet<String>();
        for (var parent : everywhere().toList()) {
            try (var entries = Files.newDirectoryStream(parent, Files::isDirectory)) {
                entries.forEach(entry -> present.add(entry.getFileName().toString()));
            }
        }
        present.remove(SUPERVISOR);
        present.remove(BULK);
        return present;
    }

    /// Removes cgroups in this order. A process that is just exiting still counts for a moment, so a busy one is tried
    /// again, all together for at most [#BUSY_NANOS].
    private static void remove(List<Path> directories) {
        var deadline = System.nanoTime() + BUSY_NANOS;
        for (var directory : directories) {
            for (var failure = tryRemove(directory); failure != null; failure = tryRemove(directory)) {
                if (System.nanoTime() > deadline) {
                    LOG.log(Level.WARNING, "cgroup " + directory + " cannot be removed: " + failure.getMessage());
                    break;
                }
                LockSupport.parkNanos(RETRY_NANOS);
            }
        }
    }

    private static @Nullable IOException tryRemove(Path directory) {
        try {
            Files.deleteIfExists(directory);
            return null;
        } catch (IOException e) {
            return e;
        }
    }

    /// Removes the cgroups that a server noted in `memory` before it was killed.
    ///
    /// @return whether all are gone; if not, processes are still ending in them
    public static boolean removeNoted(Path memory) throws IOException {
        var noted = new Cgroups(noted(memory), Map.of());
        var left = new ArrayList<>(noted.all());
        noted.leaf().ifPresent(left::add);
        return left.stream().noneMatch(directory -> tryRemove(directory) != null);
    }

    /// Where a server moved, or an earlier one, if it had to.
    private Optional<Path> leaf() {
        return Optional.ofNullable(parents.get(V2)).map(parent -> parent.resolveSibling(parent.getFileName() + LEAF));
    }

    /// Every cgroup of this Bobbin, those within others first.
    private List<Path> all() throws IOException {
        var all = new ArrayList<Path>();
        for (var id : present()) {
            everywhere().forEach(parent -> all.add(parent.resolve(id)));
        }
        for (var parent : everywhere().toList()) {
            all.add(parent.resolve(BULK));
            all.add(parent.resolve(SUPERVISOR));
            all.add(parent);
        }
        return all;
    }

    /// Removes the parents; every process must have left them.
    @Override
    public void close() {
        try {
            remove(all());
        } catch (IOException e) {
            throw new UncheckedIOException("list cgroups", e);
        }
        spares.takeBack();
        if (place != null) {
            place.takeBack();
        }
        // that of an earlier server, which is empty; ours is gone, or still needed
        leaf().ifPresent(Cgroups::tryRemove);
    }
}
