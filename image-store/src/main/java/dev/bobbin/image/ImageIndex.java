package dev.bobbin.image;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// One image for several platforms: the manifests to choose from.
public record ImageIndex(String mediaType, List<Descriptor> manifests, Map<String, String> annotations) {
    private static final int MOST_MANIFESTS = 1_000;

    public ImageIndex {
        manifests = List.copyOf(manifests);
        annotations = Map.copyOf(annotations);
    }

    /// Reads an index.
    ///
    /// @param mediaType what the Content-Type or the descriptor said it is
    /// @throws ImageException INVALID, also if it could be read as a manifest
    public static ImageIndex parse(byte[] raw, String mediaType) {
        var what = "index";
        if (!MediaTypes.isIndex(mediaType)) {
            throw new ImageException(ImageProblem.UNSUPPORTED, "no index of images, but " + mediaType);
        }
        var document = Json.object(raw, what);
        var own = Descriptors.mediaType(document, mediaType, what);
        if (document.has("config") || document.has("layers") || document.has("fsLayers")) {
            throw ImageException.invalid("index could be read as something else too");
        }
        var manifests = Json.list(document, "manifests", Descriptors::read);
        if (manifests.size() > MOST_MANIFESTS) {
            throw ImageException.invalid("index has more than " + MOST_MANIFESTS + " manifests");
        }
        return new ImageIndex(own, manifests, Json.map(document, "annotations"));
    }

    /// The manifest that runs best on `machine`; one that names no platform is taken if nothing better is there.
    public Optional<Descriptor> select(Platform machine) {
        return manifests.stream()
                .filter(one -> MediaTypes.isManifest(one.mediaType()) && rank(machine, one) >= 0)
                .min(Comparator.comparingInt(one -> rank(machine, one)));
    }

    /// How many platforms it is for; what is said to be for an unknown one is no image but a note about one.
    public int platforms() {
        return (int) manifests.stream()
                .filter(one -> MediaTypes.isManifest(one.mediaType()))
                .filter(one -> one.platform() == null || !one.platform().os().equals("unknown"))
                .count();
    }

    public byte[] bytes() {
        var document = Json.make();
        document.put("schemaVersion", 2);
        document.put("mediaType", mediaType);
        var all = document.putArray("manifests");
        manifests.forEach(one -> all.add(Descriptors.write(one)));
        Descriptors.write(document, annotations);
        return Json.bytes(document);
    }

    private static int rank(Platform machine, Descriptor one) {
        var platform = one.platform();
        return platform == null ? Integer.MAX_VALUE : machine.rank(platform);
    }
}
