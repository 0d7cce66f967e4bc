package dev.bobbin.image.registry;

import dev.bobbin.image.Descriptor;
import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageManifest;
import org.jspecify.annotations.Nullable;

/// What a name means at a registry, for one platform. All of it is verified and parsed.
///
/// @param index the index that led to the manifest, if the name means one
/// @param manifest the image's manifest
/// @param content the manifest, parsed
/// @param config the image's configuration
/// @param settings the configuration, parsed
public record Resolved(
        @Nullable Document index, Document manifest, ImageManifest content, Document config, ImageConfig settings) {

    /// A small piece of content.
    ///
    /// @param bytes exactly as they were sent; the digest is of these
    @SuppressWarnings("ArrayRecordComponent")
    public record Document(Descriptor descriptor, byte[] bytes) {
        @Override
        public String toString() {
            return descriptor.toString();
        }
    }
}
