package dev.bobbin.image.store;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.bobbin.image.Descriptor;
import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageManifest;
import dev.bobbin.image.ImageReference;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/// The names of the store, one file each in `index/`, whose modification time says when the image was used last.
final class Index {
    private static final System.Logger LOG = System.getLogger(Index.class.getName());
    private static final JsonMapper MAPPER = new JsonMapper();
    private static final Duration USE_STEP = Duration.ofMinutes(1);
    private static final int LONGEST_CONFIG = 8 << 20;

    private final Disk disk;
    private final Blobs blobs;
    private final Layers layers;
    private final Map<String, Entry> entries = new ConcurrentHashMap<>();
    private final Map<String, Instant> used = new ConcurrentHashMap<>();
    private final Map<Digest, Integer> needed = new HashMap<>();

    Index(Disk disk, Blobs blobs, Layers layers) throws IOException {
        this.disk = disk;
        this.blobs = blobs;
        this.layers = layers;
        try (var files = Files.newDirectoryStream(disk.index(), "*.json")) {
            files.forEach(this::load);
        }
    }

    /// The owner's own image of this name, or else everybody's.
    Optional<Entry> find(String owner, ImageReference reference) {
        return own(owner, reference).or(() -> owner.isEmpty() ? Optional.empty() : own("", reference));
    }

    /// The image that this owner has under this name. A digest also finds what was pulled by a tag of its repository.
    Optional<Entry> own(String owner, ImageReference reference) {
        var named = Optional.ofNullable(entries.get(key(owner, reference)));
        return named.isPresent() || reference.digest().isEmpty() ? named : byDigest(owner, reference);
    }

    private Optional<Entry> byDigest(String owner, ImageReference reference) {
        var digest = reference.digest().orElseThrow();
        return entries.values().stream()
                .filter(entry -> entry.owner().equals(owner))
                .filter(entry -> entry.reference().registry().equals(reference.registry())
                        && entry.reference().repository().equals(reference.repository()))
                .filter(entry -> entry.is(digest))
                .findFirst();
    }

    /// All that this owner may see, ordered by name.
    List<Entry> visible(String owner) {
        return all().filter(
                        entry -> entry.owner().equals(owner) || entry.owner().isEmpty())
                .sorted(Comparator.comparing(entry -> entry.reference().canonical()))
                .toList();
    }

    /// Whether an image that this owner may see needs this content.
    boolean shows(String owner, Digest digest) {
        return all().filter(
                        entry -> entry.owner().equals(owner) || entry.owner().isEmpty())
                .anyMatch(entry -> entry.blobs().contains(digest));
    }

    Stream<Entry> all() {
        return entries.values().stream();
    }

    /// Whether it is still exactly this.
    boolean current(Entry entry) {
        return entry.equals(entries.get(key(entry.owner(), entry.reference())));
    }

    /// Whether a name needs this content or layer.
    synchronized boolean needs(Digest digest) {
        return needed.containsKey(digest);
    }

    synchronized void put(Entry entry) {
        var key = key(entry.owner(), entry.reference());
        try {
            disk.write(file(key), write(entry));
        } catch (IOException e) {
            throw Disk.failure("name image " + entry.reference(), e);
        }
        count(entry, 1);
        var before = entries.put(key, entry);
        if (before != null) {
            count(before, -1);
        }
        used.put(key, Instant.now());
    }

    /// Forgets exactly this; whether it was there.
    synchronized boolean remove(Entry entry) {
        var key = key(entry.owner(), entry.reference());
        if (!entries.remove(key, entry)) {
            return false;
        }
        used.remove(key);
        count(entry, -1);
        try {
            Files.deleteIfExists(file(key));
            Disk.sync(disk.index());
        } catch (IOException e) {
            throw new UncheckedIOException("remove the name " + entry.reference(), e);
        }
        return true;
    }

    Instant lastUsed(Entry entry) {
        return used.getOrDefault(key(entry.owner(), entry.reference()), entry.pulledAt());
    }

    /// Notes that it is used now, to a minute.
    void use(Entry entry) {
        var key = key(entry.owner(), entry.reference());
        var now = Instant.now();
        var before = used.get(key);
        if (before == null || Duration.between(before, now).compareTo(USE_STEP) < 0) {
            return;
        }
        used.replace(key, before, now);
        try {
            Files.setLastModifiedTime(file(key), FileTime.from(now));
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "the use of " + entry.reference() + " is not noted", e);
        }
    }

    private void count(Entry entry, int by) {
        Stream.concat(entry.blobs().stream(), entry.chains().stream().distinct())
                .forEach(digest -> needed.merge(digest, by, (a, b) -> a + b == 0 ? null : a + b));
    }

    private void load(Path file) {
        try {
            var entry = read(MAPPER.readTree(Files.readAllBytes(file)));
            var key = key(entry.owner(), entry.reference());
            synchronized (this) {
                entries.put(key, entry);
                count(entry, 1);
            }
            used.put(key, Files.getLastModifiedTime(file).toInstant());
            if (entry.problem() != null) {
                LOG.log(Level.WARNING, "image " + entry.reference() + ": " + entry.problem());
            }
        } catch (IOException | IllegalArgumentException | ImageException e) {
            LOG.log(
                    Level.WARNING,
                    "a name of the image store cannot be read, its image must be pulled again: " + file,
                    e);
        }
    }

    private Entry read(JsonNode json) {
        var reference = new ImageReference(json.path("reference").asText());
        var node = json.path("manifest");
        var descriptor = new Descriptor(
                node.path("mediaType").asText(),
                Digest.parse(node.path("digest").asText()),
                node.path("size").asLong());
        var index = !json.hasNonNull("index")
                ? null
                : new Descriptor(
                        json.path("index_type").asText(""),
                        Digest.parse(json.get("index").asText()),
                        json.path("index_size").asLong(0));
        var owner = json.path("owner").asText();
        var pulledAt = Instant.parse(json.path("pulled_at").asText());
        try {
            var entry = entry(owner, reference, descriptor, index, pulledAt);
            return problem(entry);
        } catch (ImageException e) {
            var nothing = new Descriptor("", descriptor.digest(), 0);
            return new Entry(
                    owner,
                    reference,
                    descriptor,
                    index,
                    new ImageManifest(descriptor.mediaType(), nothing, List.of(), Map.of()),
                    new ImageConfig(Map.of(), List.of(), List.of(), "root", "/"),
                    0,
                    pulledAt,
                    repair(reference, String.valueOf(e.getMessage())));
        }
    }

    /// Of content that is in the store.
    Entry entry(
            String owner,
            ImageReference reference,
            Descriptor descriptor,
            @org.jspecify.annotations.Nullable Descriptor index,
            Instant pulledAt) {
        var manifest = ImageManifest.parse(blobs.bytes(descriptor, ImageManifest.LONGEST), descriptor.mediaType());
        var config = ImageConfig.parse(blobs.bytes(manifest.config(), LONGEST_CONFIG));
        var unpacked = Chains.of(config.origin().diffIds()).stream()
                .mapToLong(layers::bytes)
                .sum();
        return new Entry(owner, reference, descriptor, index, manifest, config, unpacked, pulledAt, null);
    }

    private Entry problem(Entry entry) {
        for (var part : entry.parts()) {
            if (!blobs.has(part)) {
                return damaged(entry, "content " + part.digest() + " is missing or has another size");
            }
        }
        for (var chain : entry.chains()) {
            if (!layers.has(chain)) {
                return damaged(entry, "layer " + chain + " is not unpacked");
            }
        }
        return entry;
    }

    private static Entry damaged(Entry entry, String what) {
        return new Entry(
                entry.owner(),
                entry.reference(),
                entry.manifestDescriptor(),
                entry.index(),
                entry.manifest(),
                entry.config(),
                entry.unpackedBytes(),
                entry.pulledAt(),
                repair(entry.reference(), what));
    }

    private static String repair(ImageReference reference, String what) {
        return what + "; repair it with `bobbin pull " + reference + "`, or load it again";
    }

    private static byte[] write(Entry entry) throws IOException {
        var json = MAPPER.createObjectNode();
        json.put("version", 1);
        json.put("owner", entry.owner());
        json.put("reference", entry.reference().text());
        json.putObject("manifest")
                .put("mediaType", entry.manifestDescriptor().mediaType())
                .put("digest", entry.manifestDescriptor().digest().text())
                .put("size", entry.manifestDescriptor().size());
        var index = entry.index();
        if (index != null) {
            json.put("index", index.digest().text());
            json.put("index_type", index.mediaType());
            json.put("index_size", index.size());
        }
        json.put("pulled_at", entry.pulledAt().toString());
        return MAPPER.writeValueAsBytes(json);
    }

    private static String key(String owner, ImageReference reference) {
        return Digest.sha256(owner + "\0" + reference.canonical()).hex();
    }

    private Path file(String key) {
        return disk.index().resolve(key + ".json");
    }
}
