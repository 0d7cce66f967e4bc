package dev.bobbin.image.store;

import dev.bobbin.image.ArchiveFormat;
import dev.bobbin.image.BlobSink;
import dev.bobbin.image.Descriptor;
import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageIndex;
import dev.bobbin.image.ImageManifest;
import dev.bobbin.image.ImageProblem;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.MediaTypes;
import dev.bobbin.image.Platform;
import dev.bobbin.image.archive.ArchivedImage;
import dev.bobbin.image.archive.ExtractionLimits;
import dev.bobbin.image.archive.ImageArchive;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;

/// Images in files.
final class Archives {
    /// The name of an image whose archive names none, or no more than a tag.
    private static final String NAMELESS = "loaded";

    private static final int LONGEST_CONFIG = 8 << 20;

    private final Blobs blobs;
    private final Newcomers newcomers;
    private final Knowledge knowledge;
    private final Pins pins;
    private final ExtractionLimits limits;

    Archives(Blobs blobs, Newcomers newcomers, Knowledge knowledge, Pins pins, ExtractionLimits limits) {
        this.blobs = blobs;
        this.newcomers = newcomers;
        this.knowledge = knowledge;
        this.pins = pins;
        this.limits = limits;
    }

    List<Image> load(String owner, InputStream archive) {
        var sink = new PinningSink(owner);
        try {
            var loaded = new ArrayList<Image>();
            for (var image : ImageArchive.read(archive, sink, limits)) {
                load(owner, image, loaded);
            }
            return List.copyOf(loaded);
        } catch (IOException e) {
            throw Disk.failure("load an archive", e);
        } finally {
            sink.unpin();
        }
    }

    private void load(String owner, ArchivedImage image, List<Image> loaded) {
        var index = MediaTypes.isIndex(image.manifest().mediaType()) ? image.manifest() : null;
        requireKnown(owner, image.manifest());
        var descriptor = index == null ? image.manifest() : choose(index);
        requireKnown(owner, descriptor);
        var manifest = ImageManifest.parse(blobs.bytes(descriptor, ImageManifest.LONGEST), descriptor.mediaType());
        requireKnown(owner, manifest.config());
        var config = ImageConfig.parse(blobs.bytes(manifest.config(), LONGEST_CONFIG));
        var parts = new ArrayList<>(List.of(descriptor, manifest.config()));
        parts.addAll(manifest.layers());
        if (index != null) {
            parts.add(index);
        }
        try (var newcomer = newcomers.expect(parts, config)) {
            newcomer.assemble(
                    owner,
                    manifest,
                    layer -> {
                        throw missing(layer);
                    },
                    _ -> {});
            for (var reference : names(image, descriptor.digest())) {
                loaded.add(newcomer.name(owner, reference, descriptor, index));
            }
        }
    }

    /// The archive must bring what it names, unless its owner has it anyway: a digest is no key to others' content.
    private void requireKnown(String owner, Descriptor part) {
        if (!knowledge.has(owner, part.digest())) {
            throw missing(part);
        }
    }

    private static ImageException missing(Descriptor part) {
        return ImageException.invalid("the archive has no content " + part.digest());
    }

    private Descriptor choose(Descriptor index) {
        return ImageIndex.parse(blobs.bytes(index, ImageManifest.LONGEST), index.mediaType())
                .select(Platform.ofThisMachine())
                .orElseThrow(() -> new ImageException(
                        ImageProblem.NOT_FOUND, "the archive has no image for " + Platform.ofThisMachine()));
    }

    private static List<ImageReference> names(ArchivedImage image, Digest digest) {
        if (image.names().isEmpty()) {
            return List.of(new ImageReference(NAMELESS + "@" + digest));
        }
        return image.names().stream().map(name -> name(name, image.naming())).toList();
    }

    private static ImageReference name(String text, ArchivedImage.Naming naming) {
        try {
            var whole = naming == ArchivedImage.Naming.WHOLE || text.indexOf('/') >= 0 || text.indexOf(':') >= 0;
            var reference = new ImageReference(whole ? text : NAMELESS + ":" + text);
            if (reference.isReserved()) {
                throw new ImageException(
                        ImageProblem.UNSUPPORTED, "\"host\" is this machine itself; no archive can bring another");
            }
            return reference;
        } catch (IllegalArgumentException e) {
            throw ImageException.invalid("the archive has an image of a name that is none: " + e.getMessage());
        }
    }

    void save(List<Entry> entries, ArchiveFormat format, OutputStream out) {
        var held = entries.stream().flatMap(entry -> entry.blobs().stream()).toList();
        pins.pin(held);
        try {
            var images = entries.stream()
                    .map(entry -> new ArchivedImage(List.of(name(entry, format)), entry.manifestDescriptor()))
                    .toList();
            ImageArchive.write(out, format, images, blobs);
        } catch (IOException e) {
            throw Disk.failure("save images", e);
        } finally {
            pins.unpin(held);
        }
    }

    /// As minibox was given it, or in the one spelling that every other program understands.
    private static String name(Entry entry, ArchiveFormat format) {
        return switch (format) {
            case OCI, DOCKER -> entry.reference().canonical();
            case MINIBOX -> entry.reference().text();
        };
    }

    /// Keeps what comes from being taken away until it has a name.
    private final class PinningSink implements BlobSink {
        private final String owner;
        private final List<Digest> held = new ArrayList<>();

        PinningSink(String owner) {
            this.owner = owner;
        }

        @Override
        public synchronized Descriptor put(Descriptor expected, InputStream in) throws IOException {
            pins.pin(List.of(expected.digest()));
            held.add(expected.digest());
            var kept = blobs.put(expected, in);
            knowledge.note(owner, kept.digest());
            return kept;
        }

        @Override
        public synchronized Descriptor put(String mediaType, InputStream in, long limit) throws IOException {
            try (var arrival = blobs.arrival("sha256")) {
                arrival.take(in, limit);
                var kept = arrival.keepPinned(mediaType, pins, held);
                knowledge.note(owner, kept.digest());
                return kept;
            }
        }

        synchronized void unpin() {
            pins.unpin(held);
        }
    }
}
