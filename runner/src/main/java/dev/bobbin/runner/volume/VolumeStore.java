package dev.bobbin.runner.volume;

import dev.bobbin.runner.Mount;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.Volume;
import dev.bobbin.runner.kernel.ProjectQuota.Use;
import dev.bobbin.runner.quota.Projects;
import dev.bobbin.runner.sandbox.SandboxException;
import dev.bobbin.runner.sandbox.Trash;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/// The volumes of this host and who uses each. Safe for many threads.
public final class VolumeStore {
    /* The directory is the database: one that has an id for its name is a volume, with its record and its files; it comes
     * there whole and goes whole, by a rename each. What a server was making or removing when it was killed has another
     * name, and its successor removes it. Who uses a volume is only in memory: sandboxes and jobs that outlive a server
     * say so again to the next. Nothing slow is done under the lock but making an empty directory. */

    private static final System.Logger LOG = System.getLogger(VolumeStore.class.getName());
    private static final String RECORD = "volume.json";
    private static final String FILES = "data";
    private static final String TRASH = ".trash";
    private static final String MAKING = ".making-";
    /// Marks what is mounted for one process only.
    private static final String PASSING = "passing";
    private static final FileAttribute<Set<PosixFilePermission>> OURS =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

    private final Path directory;
    private final Trash trash;
    private final Projects projects;
    private final Map<Key, Volume> all = new HashMap<>();
    private final Map<SandboxId, Set<String>> users = new HashMap<>();

    private record Key(String tenant, String name) {}

    private VolumeStore(Path directory, Projects projects) {
        this.directory = directory;
        this.projects = projects;
        this.trash = new Trash(directory.resolve(TRASH));
    }

    /// The volumes below `directory`, which is made if absent.
    ///
    /// @param projects of its file system
    public static VolumeStore open(Path directory, Projects projects) throws IOException {
        Files.createDirectories(directory, OURS);
        var volumes = new VolumeStore(directory, projects);
        try (var entries = Files.newDirectoryStream(directory)) {
            for (var entry : entries) {
                volumes.meet(entry);
            }
        }
        volumes.trash.emptyInBackground();
        return volumes;
    }

    private void meet(Path entry) throws IOException {
        var name = entry.getFileName().toString();
        if (name.startsWith(MAKING) || Files.exists(entry.resolve(PASSING))) {
            trash.put(entry);
        } else if (SandboxId.parse(name).isPresent()) {
            try {
                var volume = VolumeRecord.read(entry.resolve(RECORD));
                all.put(new Key(volume.tenant(), volume.name()), volume);
            } catch (IOException e) {
                LOG.log(Level.WARNING, "volume " + name + " is left alone: " + e.getMessage());
            }
        }
    }

    /// Makes an empty volume; nothing if the tenant has one of that name.
    ///
    /// @param bytes what may be in it; 0 if nothing but the disk limits that
    /// @throws IllegalArgumentException that starts with `name:` or `size:` if that cannot be a volume's
    public synchronized Optional<Volume> create(String tenant, String name, Map<String, String> labels, long bytes) {
        Mount.checkVolumeName("name", name);
        if (bytes != 0 && bytes < Volume.LEAST_BYTES) {
            throw new IllegalArgumentException("size: must be at least " + Volume.LEAST_BYTES + " bytes");
        }
        return all.containsKey(new Key(tenant, name))
                ? Optional.empty()
                : Optional.of(make(tenant, name, labels, bytes));
    }

    private Volume make(String tenant, String name, Map<String, String> labels, long bytes) {
        try {
            return lay(tenant, name, labels, bytes);
        } catch (IOException e) {
            throw new SandboxException("make volume " + name + ": " + e.getMessage(), e);
        }
    }

    private Volume lay(String tenant, String name, Map<String, String> labels, long bytes) throws IOException {
        var now = Instant.now().truncatedTo(ChronoUnit.MILLIS);
        var id = SandboxId.next();
        var aside = directory.resolve(MAKING + id);
        try {
            return lay(aside, new Volume(id, tenant, name, labels, now, bytes, 0));
        } catch (IOException e) {
            trash.put(aside);
            throw e;
        }
    }

    private Volume lay(Path aside, Volume planned) throws IOException {
        Files.createDirectory(aside, OURS);
        // readable by whoever is in a sandbox; from outside nobody gets past the directories above it
        Files.createDirectory(aside.resolve(FILES));
        Files.setPosixFilePermissions(aside.resolve(FILES), PosixFilePermissions.fromString("rwxr-xr-x"));
        var project = projects.kept() ? projects.take(List.of(aside.resolve(FILES)), planned.bytes()) : 0;
        var volume = planned.in(project);
        VolumeRecord.write(volume, aside.resolve(RECORD));
        Files.move(aside, directory.resolve(volume.id().toString()), StandardCopyOption.ATOMIC_MOVE);
        all.put(new Key(volume.tenant(), volume.name()), volume);
        return volume;
    }

    /// The volume of this tenant with this name or id.
    public synchronized Optional<Volume> find(String tenant, String nameOrId) {
        return Optional.ofNullable(all.get(new Key(tenant, nameOrId)))
                .or(() -> SandboxId.parse(nameOrId)
                        .flatMap(this::find)
                        .filter(volume -> volume.tenant().equals(tenant)));
    }

    /// The volume of this id, whoever owns it.
    public synchronized Optional<Volume> find(SandboxId id) {
        return all.values().stream().filter(volume -> volume.id().equals(id)).findFirst();
    }

    /// Takes a file or a directory away, to be mounted as a volume of that id though it is nobody's, until it is
    /// [#discarded].
    public SandboxId take(Path content) throws IOException {
        var id = SandboxId.next();
        var aside = directory.resolve(MAKING + id);
        Files.createDirectory(aside, OURS);
        Files.createFile(aside.resolve(PASSING));
        Files.move(content, aside.resolve(FILES), StandardCopyOption.ATOMIC_MOVE);
        Files.move(aside, directory.resolve(id.toString()), StandardCopyOption.ATOMIC_MOVE);
        return id;
    }

    /// Removes what was [#take]n.
    public void discarded(SandboxId id) throws IOException {
        trash.put(directory.resolve(id.toString()));
    }

    /// Every volume of this tenant, oldest first.
    public synchronized List<Volume> list(String tenant) {
        return all.values().stream()
                .filter(volume -> volume.tenant().equals(tenant))
                .sorted(Comparator.comparing(volume -> volume.id().toString()))
                .toList();
    }

    /// Every volume of such tenants.
    public synchronized List<Volume> ownedBy(Predicate<String> tenant) {
        return all.values().stream()
                .filter(volume -> tenant.test(volume.tenant()))
                .toList();
    }

    /// The projects of all volumes.
    public synchronized Set<Integer> projects() {
        return all.values().stream().map(Volume::project).collect(Collectors.toSet());
    }

    /// What is in it; nothing if that is not counted.
    public Optional<Use> used(Volume volume) {
        return projects.used(volume.project());
    }

    /// What is in it, each file looked at if nobody counts it; an interrupt ends that early.
    public long bytes(Volume volume) {
        var counted = used(volume);
        return counted.isPresent()
                ? counted.get().bytes()
                : FileSizes.of(directory.resolve(volume.id().toString()).resolve(FILES));
    }

    /// Whether the size that it was given holds, or it has none.
    public boolean keepsSize(Volume volume) {
        return volume.bytes() == 0 || projects.keeps(volume.project());
    }

    /// Whether any size would hold.
    public boolean keepsSizes() {
        return projects.kept();
    }

    /// Who uses it, each as `sandbox ID` or `job ID`.
    public synchronized List<String> users(Volume volume) {
        return List.copyOf(users.getOrDefault(volume.id(), Set.of()));
    }

    /// Removes a volume with all that is in it, unless somebody uses it. Its files go away in the background.
    public synchronized Optional<Refusal> remove(Volume volume) {
        var key = new Key(volume.tenant(), volume.name());
        if (!volume.equals(all.get(key))) {
            return Optional.of(noSuch(volume.name()));
        }
        var using = users(volume);
        if (!using.isEmpty()) {
            var more = using.size() > 1 ? " and " + (using.size() - 1) + " more" : "";
            return Optional.of(new Refusal(
                    Refusal.Reason.VOLUME_IN_USE,
                    "volume: \"" + volume.name() + "\" is used by " + using.getFirst() + more + "; remove that first"));
        }
        try {
            trash.put(directory.resolve(volume.id().toString()));
        } catch (IOException e) {
            throw new SandboxException("remove volume " + volume.name() + ": " + e.getMessage(), e);
        }
        all.remove(key);
        users.remove(volume.id());
        projects.release(volume.project());
        return Optional.empty();
    }

    /// Notes that `user` uses the volume of this name, which is made if there is none.
    Volume use(String tenant, String name, String user) {
        return use(tenant, name, 0, user);
    }

    /// Notes that `user` uses the volume of this name, until [Mountings#release]; it is made if there is none.
    ///
    /// @param bytes what may be in it then; 0 if nothing but the disk limits that
    public synchronized Volume use(String tenant, String name, long bytes, String user) {
        var known = all.get(new Key(tenant, name));
        var volume = known == null ? make(tenant, name, Map.of(), bytes) : known;
        users.computeIfAbsent(volume.id(), _ -> new TreeSet<>()).add(user);
        return volume;
    }

    /// Notes that `user`, who outlived a server, uses the volumes of these names as far as they exist.
    synchronized void keep(String tenant, List<String> names, String user) {
        for (var name : names) {
            find(tenant, name)
                    .ifPresent(volume -> users.computeIfAbsent(volume.id(), _ -> new TreeSet<>())
                            .add(user));
        }
    }

    /// Notes that `user` uses no volume any more.
    synchronized void release(String user) {
        users.values().forEach(using -> using.remove(user));
    }

    static Refusal noSuch(String name) {
        return new Refusal(Refusal.Reason.NO_SUCH_VOLUME, "volume: there is no volume \"" + name + "\"");
    }

    /// Waits until what was removed is gone from the disk, or `timeout` has passed.
    public void awaitTrash(Duration timeout) throws InterruptedException {
        trash.await(timeout);
    }
}
