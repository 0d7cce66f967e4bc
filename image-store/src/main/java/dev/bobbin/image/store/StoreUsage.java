package dev.bobbin.image.store;

/// How full the store is.
///
/// @param blobBytes content as it was sent
/// @param layerBytes layers as jobs see them
/// @param reclaimableBytes of both, what no name needs and no job runs on
public record StoreUsage(int images, long blobBytes, long layerBytes, long reclaimableBytes) {
    public long bytes() {
        return blobBytes + layerBytes;
    }
}
