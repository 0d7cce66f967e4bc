package dev.bobbin.image.store;

import dev.bobbin.image.Descriptor;
import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageManifest;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.MediaTypes;
import dev.bobbin.image.Platform;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.DigestInputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/// Makes images out of layers.
final class Commits {
    private static final int BUFFER = 64 * 1024;

    private final Blobs blobs;
    private final Newcomers newcomers;
    private final Knowledge knowledge;
    private final Pins pins;

    Commits(Blobs blobs, Newcomers newcomers, Knowledge knowledge, Pins pins) {
        this.blobs = blobs;
        this.newcomers = newcomers;
        this.knowledge = knowledge;
        this.pins = pins;
    }

    Image commit(
            String owner, ImageReference reference, @Nullable Entry base, ImageConfig config, List<InputStream> tars) {
        var held = new ArrayList<Digest>();
        try {
            var layers = new ArrayList<Descriptor>();
            var diffIds = new ArrayList<Digest>();
            if (base != null) {
                layers.addAll(base.manifest().layers());
                diffIds.addAll(base.config().origin().diffIds());
            }
            for (var tar : tars) {
                var hasher = Digest.hasher("sha256");
                var layer = compressed(new DigestInputStream(tar, hasher), held);
                knowledge.note(owner, layer.digest());
                layers.add(layer);
                diffIds.add(Digest.of("sha256", hasher));
            }
            var made = config.withOrigin(
                    new ImageConfig.Origin(Platform.ofThisMachine(), Instant.now(), diffIds, List.of()));
            var configBlob = put(MediaTypes.OCI_CONFIG, made.bytes(), held);
            var manifest = new ImageManifest(MediaTypes.OCI_MANIFEST, configBlob, layers, Map.of());
            var manifestBlob = put(MediaTypes.OCI_MANIFEST, manifest.bytes(), held);
            var parts = new ArrayList<>(List.of(manifestBlob, configBlob));
            parts.addAll(layers);
            try (var newcomer = newcomers.expect(parts, made)) {
                newcomer.assemble(
                        owner,
                        manifest,
                        layer -> {
                            throw ImageException.invalid("layer " + layer.digest() + " is gone");
                        },
                        _ -> {});
                return newcomer.name(owner, reference, manifestBlob, null);
            }
        } catch (IOException e) {
            throw Disk.failure("make image " + reference, e);
        } finally {
            pins.unpin(held);
        }
    }

    private Descriptor compressed(InputStream tar, List<Digest> held) throws IOException {
        try (var arrival = blobs.arrival("sha256")) {
            var gzip = new GZIPOutputStream(new BufferedOutputStream(arrival, BUFFER), BUFFER);
            tar.transferTo(gzip);
            gzip.finish();
            gzip.flush();
            return arrival.keepPinned(MediaTypes.OCI_LAYER_GZIP, pins, held);
        }
    }

    private Descriptor put(String mediaType, byte[] content, List<Digest> held) {
        try (var arrival = blobs.arrival("sha256")) {
            arrival.write(content, 0, content.length);
            return arrival.keepPinned(mediaType, pins, held);
        }
    }
}
