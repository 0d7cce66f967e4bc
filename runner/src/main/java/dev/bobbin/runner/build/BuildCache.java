package dev.bobbin.runner.build;

import dev.bobbin.image.Digest;
import dev.bobbin.image.Layer;
import dev.bobbin.image.store.ImageStore;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// What builds left for later ones: which layers blocks became, by what these depend on, and the directories that
/// commands
/// mount as caches. A tenant has its own; the layers are the store's, which keeps them as long as they are named here.
/// Safe for many threads.
///
/* One file an entry, `<tenant's hash>-<key>` or `<tenant's hash>-<name of a mounted cache>`, as CacheRecord writes it. A
 * file that cannot be read is no entry. The modification time says, to a minute, when it was last of use. */
public final class BuildCache implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(BuildCache.class.getName());
    private static final String ASIDE = "aside-";
    private static final Duration USE_STEP = Duration.ofMinutes(1);
    /// Every entry costs some memory and some files.
    private static final long LEAST_BYTES = 64 << 10;
    /// Sums of these still are numbers.
    private static final long MOST_BYTES = 1L << 46;

    private final Path directory;
    private final ImageStore images;
    private final CacheMounts mounts;
    private final Map<String, Entry> entries = new HashMap<>();
    private final Shares shares = new Shares();
    /// How many blocks have each.
    private final Map<CacheMounts.Cache, Integer> held = new HashMap<>();
    private boolean closed;

    /// What a block became.
    ///
    /// @param layer `null` if it made none
    /// @param unpackedBytes that it takes on the disk besides its archive
    record Made(@Nullable Layer layer, long unpackedBytes) {}

    private static final class Entry {
        private final CacheRecord is;
        private final AutoCloseable pin;
        private Instant used;
        /// What the disk says of that.
        private Instant noted;

        Entry(CacheRecord is, AutoCloseable pin, Instant used) {
            this.is = is;
            this.pin = pin;
            this.used = used;
            this.noted = used;
        }

        long bytes() {
            return Math.clamp(is.bytes(), LEAST_BYTES, MOST_BYTES);
        }
    }

    /// Entries and what they take: those that are there, or those that were taken away.
    public record Pruned(int entries, long bytes) {}

    private BuildCache(Path directory, ImageStore images, CacheMounts mounts) {
        this.directory = directory;
        this.images = images;
        this.mounts = mounts;
    }

    /// Finds what earlier servers left.
    public static BuildCache open(Path directory, ImageStore images, CacheMounts mounts) throws IOException {
        Files.createDirectories(
                directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        var cache = new BuildCache(directory, images, mounts);
        var used = new HashMap<Path, Instant>();
        try (var files = Files.newDirectoryStream(directory)) {
            for (var file : files) {
                if (String.valueOf(file.getFileName()).startsWith(ASIDE)) {
                    Files.deleteIfExists(file);
                } else {
                    used.put(file, Files.getLastModifiedTime(file).toInstant());
                }
            }
        }
        used.entrySet().stream()
                .sorted(Map.Entry.<Path, Instant>comparingByValue().thenComparing(Map.Entry.comparingByKey()))
                .forEach(file -> cache.read(file.getKey(), file.getValue()));
        return cache;
    }

    private void read(Path file, Instant used) {
        var name = String.valueOf(file.getFileName());
        try {
            var is = CacheRecord.parse(Files.readAllLines(file));
            if (is instanceof CacheRecord.Mount mount && !mounts.has(mount.cache())) {
                delete(name); // its server ended while it removed both
            } else {
                enter(name, new Entry(is, pin(is), used));
            }
        } catch (RuntimeException | IOException e) {
            LOG.log(Level.INFO, "the cached build step " + name + " is forgotten: " + e.getMessage());
            delete(name);
        }
    }

    private AutoCloseable pin(CacheRecord is) {
        return switch (is) {
            case CacheRecord.Block(var made, var diffIds) -> {
                var layer = made.layer();
                yield layer == null ? () -> {} : images.keep(layer, diffIds);
            }
            case CacheRecord.Mount _ -> () -> {};
        };
    }

    private void enter(String name, Entry entry) {
        close(entries.put(name, entry));
        shares.put(owner(name), name, entry.bytes());
    }

    private static String name(String tenant, Digest key) {
        return prefix(tenant) + key.hex();
    }

    private static String name(CacheMounts.Cache cache) {
        return prefix(cache.tenant()) + cache.name();
    }

    private static String prefix(String tenant) {
        return Digest.sha256(tenant).hex().substring(0, 16) + "-";
    }

    private static String owner(String name) {
        return name.substring(0, Math.max(0, name.indexOf('-') + 1));
    }

    /// What a block became that depended on the same.
    synchronized Optional<Made> find(String tenant, Digest key) {
        var name = name(tenant, key);
        var entry = entries.get(name);
        if (entry == null || !(entry.is instanceof CacheRecord.Block block)) {
            return Optional.empty();
        }
        use(name, entry);
        return Optional.of(block.made());
    }

    private void use(String name, Entry entry) {
        entry.used = Instant.now();
        shares.used(owner(name), name);
        if (Duration.between(entry.noted, entry.used).compareTo(USE_STEP) < 0) {
            return;
        }
        entry.noted = entry.used;
        try {
            Files.setLastModifiedTime(directory.resolve(name), FileTime.from(entry.used));
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "the use of " + name + " is not noted", e);
        }
    }

    /// Notes what a block became.
    ///
    /// @param stack the layers that it stands on, the lowest first, and its own
    synchronized void put(String tenant, Digest key, Made made, List<Layer> stack) {
        put(
                name(tenant, key),
                new CacheRecord.Block(made, stack.stream().map(Layer::diffId).toList()));
    }

    /// Notes that a mounted cache was of use; one that is not there any more is forgotten.
    ///
    /// @param bytes that are in it; what was known before if negative
    synchronized void used(CacheMounts.Cache cache, long bytes) {
        var name = name(cache);
        var known = entries.get(name);
        if (!mounts.has(cache)) {
            forget(name);
        } else if (known != null && (bytes < 0 || known.is.bytes() == bytes)) {
            use(name, known);
        } else {
            put(name, new CacheRecord.Mount(cache, Math.max(0, bytes)));
        }
    }

    private void put(String name, CacheRecord is) {
        if (!closed) {
            write(name, is);
            enter(name, new Entry(is, pin(is), Instant.now()));
        }
    }

    /// What the disk does not take is known to this server only.
    private void write(String name, CacheRecord is) {
        var aside = directory.resolve(ASIDE + UUID.randomUUID());
        try {
            try {
                Files.write(aside, is.lines());
                Files.move(aside, directory.resolve(name), StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(aside);
            }
        } catch (IOException e) {
            LOG.log(
                    Level.WARNING,
                    "the next server will not know the cached build step " + name + ": " + e.getMessage());
            delete(name);
        }
    }

    /// Whether this mounted cache is known.
    synchronized boolean knows(CacheMounts.Cache cache) {
        return entries.containsKey(name(cache));
    }

    /// A block mounts these: none of them goes until it is [#release]d.
    synchronized void hold(List<CacheMounts.Cache> caches) {
        caches.forEach(each -> held.merge(each, 1, Integer::sum));
    }

    /// That block is through with them.
    synchronized void release(List<CacheMounts.Cache> caches) {
        caches.forEach(each -> held.computeIfPresent(each, (_, blocks) -> blocks == 1 ? null : blocks - 1));
    }

    /// How many entries there are, and what they take: archives, what those are unpacked to, and mounted caches.
    public synchronized Pruned usage() {
        return new Pruned(shares.count(), shares.bytes());
    }

    /// Forgets what was not of use for so long. Layers that no image needs go with the store's next collection.
    public synchronized Pruned prune(Duration unusedFor) {
        var before = Instant.now().minus(unusedFor);
        return remove(entries.entrySet().stream()
                .filter(entry -> !entry.getValue().used.isAfter(before))
                .map(Map.Entry::getKey)
                .sorted()
                .toList());
    }

    /// Forgets what blocks of a tenant's became.
    public synchronized Pruned pruneBlocks(String tenant) {
        return prune(tenant, CacheRecord.Block.class);
    }

    /// Removes the caches that commands of a tenant's mount, but those in use.
    public synchronized Pruned pruneMounts(String tenant) {
        return prune(tenant, CacheRecord.Mount.class);
    }

    private Pruned prune(String tenant, Class<? extends CacheRecord> kind) {
        var prefix = prefix(tenant);
        return remove(entries.entrySet().stream()
                .filter(entry -> entry.getKey().startsWith(prefix) && kind.isInstance(entry.getValue().is))
                .map(Map.Entry::getKey)
                .sorted()
                .toList());
    }

    /// Forgets as much as is above these bounds: of the tenant that has most, what was of use longest ago.
    public synchronized Pruned pruneTo(long keepBytes, int keepEntries) {
        var held = new HashSet<String>();
        var all = new Pruned(0, 0);
        for (var next = shares.surplus(keepBytes, keepEntries, held);
                next.isPresent();
                next = shares.surplus(keepBytes, keepEntries, held)) {
            var removed = remove(List.of(next.get()));
            if (removed.entries() == 0) {
                held.add(next.get());
            }
            all = new Pruned(all.entries() + removed.entries(), all.bytes() + removed.bytes());
        }
        return all;
    }

    private Pruned remove(List<String> names) {
        var count = 0;
        var bytes = 0L;
        for (var name : names) {
            var entry = entries.get(name);
            if (entry != null && isFree(entry)) {
                forget(name);
                count++;
                bytes += entry.bytes();
            }
        }
        return new Pruned(count, bytes);
    }

    private boolean isFree(Entry entry) {
        return switch (entry.is) {
            case CacheRecord.Block _ -> true;
            case CacheRecord.Mount mount -> removed(mount.cache());
        };
    }

    /// One that a block mounts stays, also between its commands, and so does what cannot be removed at the moment.
    private boolean removed(CacheMounts.Cache cache) {
        try {
            return !held.containsKey(cache) && mounts.remove(cache);
        } catch (RuntimeException e) {
            LOG.log(Level.WARNING, "the mounted cache " + cache.name() + " stays: " + e.getMessage());
            return false;
        }
    }

    private void forget(String name) {
        delete(name);
        shares.remove(owner(name), name);
        close(entries.remove(name));
    }

    private void delete(String name) {
        try {
            Files.deleteIfExists(directory.resolve(name));
        } catch (IOException e) {
            LOG.log(Level.WARNING, "the cached build step " + name + " stays until the next start: " + e.getMessage());
        }
    }

    private static void close(@Nullable Entry entry) {
        if (entry != null) {
            try {
                entry.pin.close();
            } catch (Exception e) {
                LOG.log(Level.WARNING, "a cached layer is still held", e);
            }
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        entries.values().forEach(BuildCache::close);
        entries.clear();
    }
}
