package dev.bobbin.image.store;

import dev.bobbin.image.Descriptor;

/// A manifest of the store.
///
/// @param bytes exactly as they were sent; the digest is of these
@SuppressWarnings("ArrayRecordComponent")
public record Document(Descriptor descriptor, byte[] bytes) {
    @Override
    public String toString() {
        return descriptor.toString();
    }
}
