package dev.bobbin.image.store;

import dev.bobbin.image.ImageReference;
import java.util.List;

/// What was taken away.
///
/// @param freedBytes of layers and other content; on the disk they are free soon after
public record Pruned(List<ImageReference> images, int layers, int blobs, long freedBytes) {
    public Pruned {
        images = List.copyOf(images);
    }
}
