package dev.bobbin.image.archive;

import static dev.bobbin.image.ImageException.invalid;

import dev.bobbin.image.BlobSink;
import dev.bobbin.image.Descriptor;
import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageIndex;
import dev.bobbin.image.ImageManifest;
import dev.bobbin.image.ImageProblem;
import dev.bobbin.image.MediaTypes;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Reads one archive, whose entries come in any order: everything goes to the sink as it comes, documents that may be
/// needed again are kept, and at the end the table of contents tells what is what.
final class ArchiveReader {
    private static final String INDEX = "index.json";
    private static final String TABLE = "manifest.json";
    private static final Set<String> TABLES = Set.of(INDEX, TABLE, MiniboxTable.NAME, "oci-layout", "repositories");
    private static final String UNKNOWN = "application/octet-stream";
    private static final long MOST_KEPT = 64L << 20;
    private static final int MOST_LINKS = 10;
    private static final int HEAD = 4;

    private final TarReader tar;
    private final InputStream in;
    private final BlobSink sink;
    private final ExtractionLimits limits;
    private final Map<String, byte[]> tables = new HashMap<>();
    private final Map<String, Descriptor> files = new HashMap<>();
    private final Map<String, String> links = new HashMap<>();
    private final Map<Digest, byte[]> documents = new HashMap<>();
    private final Map<Digest, Compression> compressions = new HashMap<>();
    private long kept;

    ArchiveReader(InputStream in, BlobSink sink, ExtractionLimits limits) {
        this.in = in;
        this.tar = new TarReader(in);
        this.sink = sink;
        this.limits = limits;
    }

    List<ArchivedImage> read() throws IOException {
        long entries = 0;
        for (var entry = tar.next(); entry != null; entry = tar.next()) {
            if (++entries > limits.entries()) {
                throw invalid("the archive has more than " + limits.entries() + " entries");
            }
            take(entry, normal(entry.name()));
        }
        in.transferTo(java.io.OutputStream.nullOutputStream());
        var index = tables.get(INDEX);
        var images = index == null
                ? List.<ArchivedImage>of()
                : images(ImageIndex.parse(index, MediaTypes.OCI_INDEX).manifests());
        if (!images.isEmpty()) {
            return images;
        }
        var table = tables.get(TABLE);
        if (table != null) {
            return dockerImages(DockerTable.parse(table));
        }
        var minibox = tables.get(MiniboxTable.NAME);
        if (minibox != null) {
            return List.of(miniboxImage(MiniboxTable.parse(minibox)));
        }
        if (tables.containsKey("repositories")) {
            throw new ImageException(ImageProblem.UNSUPPORTED, "the archive is of Docker before 1.10: save it anew");
        }
        throw invalid("the archive holds no image: it has neither index.json nor manifest.json");
    }

    private void take(TarEntry entry, String path) throws IOException {
        switch (entry.kind()) {
            case FILE -> {
                if (TABLES.contains(path)) {
                    tables.put(path, small(entry, path));
                } else {
                    files.put(path, put(entry, path));
                }
            }
            case SYMBOLIC_LINK -> links.put(path, normal(Names.child(Names.parent(path), entry.link())));
            case HARD_LINK -> links.put(path, normal(entry.link()));
            default -> {}
        }
    }

    private byte[] small(TarEntry entry, String path) throws IOException {
        if (entry.size() > ImageManifest.LONGEST) {
            throw invalid(Names.shown(path) + " of the archive is longer than " + ImageManifest.LONGEST + " bytes");
        }
        return tar.content().readAllBytes();
    }

    private Descriptor put(TarEntry entry, String path) throws IOException {
        var head = new PushbackInputStream(tar.content(), HEAD);
        var start = head.readNBytes(HEAD);
        head.unread(start);
        if (start.length > 0 && start[0] == '{' && entry.size() <= ImageManifest.LONGEST && kept < MOST_KEPT) {
            var document = head.readAllBytes();
            var stored = put(entry, path, new ByteArrayInputStream(document));
            documents.put(stored.digest(), document);
            kept += document.length;
            return stored;
        }
        var stored = put(entry, path, head);
        compressions.put(stored.digest(), Compression.of(start));
        return stored;
    }

    private Descriptor put(TarEntry entry, String path, InputStream content) throws IOException {
        var address = address(path);
        return address == null
                ? sink.put(UNKNOWN, content, entry.size())
                : sink.put(new Descriptor(UNKNOWN, address, entry.size()), content);
    }

    /// The digest that a path of an OCI layout promises.
    private static @Nullable Digest address(String path) {
        var parts = path.split("/", -1);
        if (parts.length != 3 || !parts[0].equals("blobs")) {
            return null;
        }
        try {
            return new Digest(parts[1], parts[2]);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    /// A path without `.` and `..`; one that leads out of the archive names nothing in it.
    private static String normal(String path) {
        var kept = new ArrayList<String>();
        for (var component : Names.components(path)) {
            if (!component.equals("..")) {
                kept.add(component);
            } else if (!kept.isEmpty()) {
                kept.removeLast();
            }
        }
        return String.join("/", kept);
    }

    private List<ArchivedImage> images(List<Descriptor> manifests) {
        var names = new LinkedHashMap<Descriptor, List<String>>();
        for (var manifest : manifests) {
            if (MediaTypes.isManifest(manifest.mediaType()) || MediaTypes.isIndex(manifest.mediaType())) {
                requireWhole(manifest);
                var all = names.computeIfAbsent(manifest.withAnnotations(Map.of()), one -> new ArrayList<>());
                var annotations = manifest.annotations();
                var name = annotations.getOrDefault(
                        ArchiveWriter.CONTAINERD_NAME, annotations.getOrDefault(ArchiveWriter.NAME, ""));
                if (!name.isEmpty() && !all.contains(name)) {
                    all.add(name);
                }
            }
        }
        return names.entrySet().stream()
                .map(one -> new ArchivedImage(one.getValue(), one.getKey()))
                .toList();
    }

    private ArchivedImage miniboxImage(MiniboxTable.Row row) {
        var path = "blobs/" + row.manifest().algorithm() + "/" + row.manifest().hex();
        var file = file(path);
        var type = MiniboxTable.mediaType(documents.getOrDefault(row.manifest(), new byte[0]));
        var manifest = new Descriptor(type, row.manifest(), file.size());
        requireWhole(manifest);
        return new ArchivedImage(List.of(row.name()), ArchivedImage.Naming.WHOLE, manifest);
    }

    private void requireWhole(Descriptor manifest) {
        require(manifest);
        var document = documents.get(manifest.digest());
        if (document == null) {
            throw invalid("manifest " + manifest.digest() + " of the archive is no document");
        }
        if (MediaTypes.isManifest(manifest.mediaType())) {
            var parsed = ImageManifest.parse(document, manifest.mediaType());
            require(parsed.config());
            parsed.layers().stream()
                    .filter(layer -> !MediaTypes.isForeignLayer(layer.mediaType()))
                    .forEach(this::require);
        }
    }

    private void require(Descriptor wanted) {
        var file = files.get(
                "blobs/" + wanted.digest().algorithm() + "/" + wanted.digest().hex());
        if (file == null) {
            throw invalid("the archive lacks " + wanted.digest() + ", which an image in it needs");
        }
        if (file.size() != wanted.size()) {
            throw ImageException.wrongSize(wanted.digest(), wanted.size(), Long.toString(file.size()));
        }
    }

    private List<ArchivedImage> dockerImages(List<DockerTable.Row> rows) throws IOException {
        var images = new ArrayList<ArchivedImage>();
        for (var row : rows) {
            var config = file(row.config());
            var layers = row.layers().stream().map(this::file).map(this::layer).toList();
            check(config, layers);
            var typed = new Descriptor(MediaTypes.OCI_CONFIG, config.digest(), config.size());
            var manifest = new ImageManifest(MediaTypes.OCI_MANIFEST, typed, layers, Map.of()).bytes();
            var descriptor = Descriptor.of(MediaTypes.OCI_MANIFEST, manifest);
            images.add(new ArchivedImage(row.names(), sink.put(descriptor, new ByteArrayInputStream(manifest))));
        }
        return images;
    }

    private Descriptor layer(Descriptor file) {
        var type = switch (compressions.getOrDefault(file.digest(), Compression.NONE)) {
            case NONE -> MediaTypes.OCI_LAYER;
            case GZIP -> MediaTypes.OCI_LAYER_GZIP;
            case ZSTD -> MediaTypes.OCI_LAYER_ZSTD;
        };
        return new Descriptor(type, file.digest(), file.size());
    }

    private void check(Descriptor config, List<Descriptor> layers) {
        var document = documents.get(config.digest());
        if (document == null) {
            throw invalid("configuration " + config.digest() + " of the archive is no document");
        }
        var diffIds = DockerTable.diffIds(document);
        if (diffIds.size() != layers.size()) {
            throw invalid("the archive has " + layers.size() + " layers for an image of " + diffIds.size());
        }
        for (var i = 0; i < layers.size(); i++) {
            var layer = layers.get(i);
            var plain = layer.mediaType().equals(MediaTypes.OCI_LAYER);
            if (plain
                    && diffIds.get(i).startsWith("sha256:")
                    && !diffIds.get(i).equals(layer.digest().text())) {
                throw invalid("layer " + diffIds.get(i) + " of the archive has the digest " + layer.digest());
            }
        }
    }

    private Descriptor file(String path) {
        var at = normal(path);
        for (var i = 0; i < MOST_LINKS; i++) {
            var file = files.get(at);
            if (file != null) {
                return file;
            }
            at = links.getOrDefault(at, "");
        }
        throw invalid("the archive lacks " + Names.shown(path) + ", which an image in it needs");
    }
}
