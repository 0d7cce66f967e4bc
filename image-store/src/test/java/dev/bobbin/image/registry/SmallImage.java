package dev.bobbin.image.registry;

import dev.bobbin.image.BlobSource;
import dev.bobbin.image.Descriptor;
import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageManifest;
import dev.bobbin.image.ImageProblem;
import dev.bobbin.image.MediaTypes;
import dev.bobbin.image.Platform;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// An image whose layers are bytes of no meaning: registries do not look into them.
public record SmallImage(Resolved.Document manifest, ImageManifest content, Map<Digest, byte[]> blobs)
        implements BlobSource {
    /// An image of layers of these sizes; other seeds give other images.
    public static SmallImage of(long seed, int... sizes) {
        var random = new Random(seed);
        var blobs = new LinkedHashMap<Digest, byte[]>();
        var layers = new ArrayList<Descriptor>();
        for (var size : sizes) {
            var bytes = new byte[size];
            random.nextBytes(bytes);
            layers.add(Descriptor.of(MediaTypes.OCI_LAYER, bytes));
            blobs.put(Digest.sha256(bytes), bytes);
        }
        return of(layers, blobs);
    }

    /// An image of these layers.
    public static SmallImage of(List<Descriptor> layers, Map<Digest, byte[]> blobs) {
        var config = new ImageConfig(Map.of("PATH", "/bin"), List.of(), List.of("/bin/true"), "root", "/")
                .withOrigin(new ImageConfig.Origin(
                        Platform.ofThisMachine(),
                        null,
                        layers.stream().map(Descriptor::digest).toList(),
                        List.of()))
                .bytes();
        var all = new LinkedHashMap<>(blobs);
        all.put(Digest.sha256(config), config);
        var content = new ImageManifest(
                MediaTypes.OCI_MANIFEST, Descriptor.of(MediaTypes.OCI_CONFIG, config), layers, Map.of());
        var bytes = content.bytes();
        return new SmallImage(
                new Resolved.Document(Descriptor.of(MediaTypes.OCI_MANIFEST, bytes), bytes), content, all);
    }

    public byte[] layer(int index) {
        return bytes(content.layers().get(index).digest());
    }

    @Override
    public InputStream open(Digest digest) {
        return new ByteArrayInputStream(bytes(digest));
    }

    @Override
    public long size(Digest digest) {
        return bytes(digest).length;
    }

    private byte[] bytes(Digest digest) {
        var found = blobs.get(digest);
        if (found == null) {
            throw new ImageException(ImageProblem.NOT_FOUND, "no blob " + digest);
        }
        return found;
    }
}
