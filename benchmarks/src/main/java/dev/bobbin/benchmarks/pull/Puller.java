package dev.bobbin.benchmarks.pull;

import java.io.IOException;

/// Something that brings an image from a registry.
interface Puller {
    String name();

    /// Brings it, until a program could be started in it.
    void pull(String image) throws IOException, InterruptedException;

    /// Proves, where it can be proved quickly, that what was brought is an image; then forgets all of it.
    void forget(String image) throws IOException, InterruptedException;
}
