package dev.bobbin.image;

/// One layer of an image, which may be stacked on any others.
///
/// @param blob its archive, compressed, as registries have it
/// @param diffId the digest of the uncompressed archive
public record Layer(Descriptor blob, Digest diffId) {}
