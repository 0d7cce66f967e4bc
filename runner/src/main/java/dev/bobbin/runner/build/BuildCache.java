package dev.bobbin.runner.build;

import dev.bobbin.image.Descriptor;
import dev.bobbin.image.Digest;
import dev.bobbin.image.Layer;
import dev.bobbin.image.store.ImageStore;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Which layers blocks became, by what these depend on. A tenant has its own; the layers are the store's, which keeps
/// them as long as they are named here. Safe for many threads.
///
/* One file an entry, `<tenant's hash>-<key>`: a line of its format, then the layer, or nothing if the block made none, and
 * the diff ids that it was stacked on, its own last. A file that cannot be read is no entry. The modification time says
 * when it was last of use. */
public final class BuildCache implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(BuildCache.class.getName());
    private static final String FORMAT = "bobbin build cache 1";

    private final Path directory;
    private final ImageStore images;
    private final Map<String, Entry> entries = new HashMap<>();

    /// What a block became.
    ///
    /// @param layer `null` if it made none
    record Made(@Nullable Layer layer) {}

    private record Entry(Made made, long bytes, AutoCloseable pin) {}

    /// What pruning took away.
    public record Pruned(int entries, long bytes) {}

    private BuildCache(Path directory, ImageStore images) {
        this.directory = directory;
        this.images = images;
    }

    /// Finds what earlier servers left.
    public static BuildCache open(Path directory, ImageStore images) throws IOException {
        Files.createDirectories(
                directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        var cache = new BuildCache(directory, images);
        try (var files = Files.newDirectoryStream(directory)) {
            for (var file : files) {
                cache.read(file);
            }
        }
        return cache;
    }

    private void read(Path file) throws IOException {
        var name = String.valueOf(file.getFileName());
        try {
            var lines = Files.readAllLines(file);
            if (!lines.getFirst().equals(FORMAT)) {
                throw new IllegalArgumentException("it is of another format");
            }
            var diffIds = lines.stream().skip(2).map(Digest::parse).toList();
            entries.put(name, entry(layer(lines.get(1)), diffIds));
        } catch (RuntimeException | IOException e) {
            LOG.log(Level.INFO, "the cached build step " + name + " is forgotten: " + e.getMessage());
            Files.deleteIfExists(file);
        }
    }

    private static @Nullable Layer layer(String line) {
        if (line.isEmpty()) {
            return null;
        }
        var words = line.split(" ", -1);
        return new Layer(
                new Descriptor(words[0], Digest.parse(words[1]), Long.parseLong(words[2])), Digest.parse(words[3]));
    }

    private Entry entry(@Nullable Layer layer, List<Digest> diffIds) {
        return layer == null
                ? new Entry(new Made(null), 0, () -> {})
                : new Entry(new Made(layer), layer.blob().size(), images.keep(layer, diffIds));
    }

    private static String name(String tenant, Digest key) {
        return prefix(tenant) + key.hex();
    }

    private static String prefix(String tenant) {
        return Digest.sha256(tenant).hex().substring(0, 16) + "-";
    }

    /// What a block became that depended on the same.
    synchronized Optional<Made> find(String tenant, Digest key) {
        var name = name(tenant, key);
        var entry = entries.get(name);
        if (entry != null) {
            try {
                Files.setLastModifiedTime(directory.resolve(name), FileTime.from(Instant.now()));
            } catch (IOException e) {
                LOG.log(Level.DEBUG, "the use of " + name + " is not noted", e);
            }
        }
        return Optional.ofNullable(entry).map(Entry::made);
    }

    /// Notes what a block became.
    ///
    /// @param stack the layers that it stands on, the lowest first, and its own
    synchronized void put(String tenant, Digest key, Made made, List<Layer> stack) throws IOException {
        var name = name(tenant, key);
        var diffIds = stack.stream().map(Layer::diffId).toList();
        var layer = made.layer();
        var lines = new ArrayList<String>(List.of(FORMAT, layer == null ? "" : line(layer)));
        diffIds.forEach(id -> lines.add(id.text()));
        var aside = directory.resolve("aside-" + UUID.randomUUID());
        Files.write(aside, lines);
        Files.move(aside, directory.resolve(name), StandardCopyOption.ATOMIC_MOVE);
        close(entries.put(name, entry(layer, diffIds)));
    }

    private static String line(Layer layer) {
        var blob = layer.blob();
        return String.join(
                " ",
                blob.mediaType(),
                blob.digest().text(),
                Long.toString(blob.size()),
                layer.diffId().text());
    }

    /// How many entries there are, and what their layers take compressed.
    public synchronized Pruned usage() {
        return new Pruned(
                entries.size(),
                entries.values().stream().mapToLong(Entry::bytes).sum());
    }

    /// Forgets what was not of use for so long. Layers that no image needs go with the store's next collection.
    public synchronized Pruned prune(Duration unusedFor) throws IOException {
        return remove(names(Instant.now().minus(unusedFor)));
    }

    /// Forgets everything of a tenant's.
    public synchronized Pruned prune(String tenant) throws IOException {
        var prefix = prefix(tenant);
        return remove(entries.keySet().stream()
                .filter(name -> name.startsWith(prefix))
                .toList());
    }

    /// Forgets what was of use longest ago until the rest takes no more than that.
    public synchronized Pruned pruneTo(long keepBytes) throws IOException {
        var left = usage().bytes();
        var removed = new ArrayList<String>();
        for (var name : names(Instant.now().plusSeconds(1))) {
            if (left <= keepBytes) {
                break;
            }
            left -= java.util.Objects.requireNonNull(entries.get(name)).bytes();
            removed.add(name);
        }
        return remove(removed);
    }

    /// Those last of use before then, the oldest first.
    private List<String> names(Instant before) throws IOException {
        var used = new HashMap<String, FileTime>();
        for (var name : entries.keySet()) {
            used.put(name, lastUsed(name));
        }
        return used.keySet().stream()
                .filter(name -> !used.getOrDefault(name, FileTime.from(before))
                        .toInstant()
                        .isAfter(before))
                .sorted(Comparator.comparing(name -> used.getOrDefault(name, FileTime.from(before))))
                .toList();
    }

    private FileTime lastUsed(String name) throws IOException {
        try {
            return Files.getLastModifiedTime(directory.resolve(name));
        } catch (NoSuchFileException _) {
            return FileTime.fromMillis(0);
        }
    }

    private Pruned remove(List<String> names) throws IOException {
        var bytes = 0L;
        for (var name : names) {
            Files.deleteIfExists(directory.resolve(name));
            var entry = entries.remove(name);
            bytes += entry == null ? 0 : entry.bytes();
            close(entry);
        }
        return new Pruned(names.size(), bytes);
    }

    private static void close(@Nullable Entry... all) {
        Arrays.stream(all).forEach(entry -> {
            if (entry != null) {
                try {
                    entry.pin.close();
                } catch (Exception e) {
                    LOG.log(Level.WARNING, "a cached layer is still held", e);
                }
            }
        });
    }

    @Override
    public synchronized void close() {
        entries.values().forEach(BuildCache::close);
        entries.clear();
    }
}
