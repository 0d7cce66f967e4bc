package dev.bobbin.image;

import java.util.List;
import java.util.Map;

/// What an image is made of: its configuration and its layers, the lowest first.
public record ImageManifest(
        String mediaType, Descriptor config, List<Descriptor> layers, Map<String, String> annotations) {
    /// The most bytes a manifest or an index may have.
    public static final int LONGEST = Json.LONGEST;

    private static final int MOST_LAYERS = 500;

    public ImageManifest {
        layers = List.copyOf(layers);
        annotations = Map.copyOf(annotations);
    }

    /// Reads a manifest.
    ///
    /// @param mediaType what the Content-Type or the descriptor said it is
    /// @throws ImageException INVALID, also if it could be read as an index; UNSUPPORTED if it is of no image
    public static ImageManifest parse(byte[] raw, String mediaType) {
        var what = "manifest";
        if (!MediaTypes.isManifest(mediaType)) {
            throw new ImageException(ImageProblem.UNSUPPORTED, "no manifest of an image, but " + mediaType);
        }
        var document = Json.object(raw, what);
        var own = Descriptors.mediaType(document, mediaType, what);
        if (document.has("manifests") || document.has("fsLayers")) {
            throw ImageException.invalid("manifest could be read as something else too");
        }
        var config = Descriptors.read(
                Json.child(document, "config").orElseThrow(() -> ImageException.invalid("manifest has no config")));
        if (!MediaTypes.isConfig(config.mediaType())) {
            throw new ImageException(
                    ImageProblem.UNSUPPORTED, "manifest describes " + config.mediaType() + ", no image");
        }
        var layers = Json.list(document, "layers", Descriptors::read);
        if (layers.size() > MOST_LAYERS) {
            throw ImageException.invalid("manifest has more than " + MOST_LAYERS + " layers");
        }
        for (var layer : layers) {
            if (!MediaTypes.isLayer(layer.mediaType())) {
                throw new ImageException(
                        ImageProblem.UNSUPPORTED, "layer " + layer.digest() + " is " + layer.mediaType());
            }
        }
        return new ImageManifest(own, config, layers, Json.map(document, "annotations"));
    }

    /// The document, for an image that has none yet.
    public byte[] bytes() {
        var document = Json.make();
        document.put("schemaVersion", 2);
        document.put("mediaType", mediaType);
        document.set("config", Descriptors.write(config));
        var all = document.putArray("layers");
        layers.forEach(layer -> all.add(Descriptors.write(layer)));
        Descriptors.write(document, annotations);
        return Json.bytes(document);
    }

    /// Bytes of the configuration and all layers as they are sent, each counted once.
    public long size() {
        return config.size()
                + layers.stream().distinct().mapToLong(Descriptor::size).sum();
    }
}
