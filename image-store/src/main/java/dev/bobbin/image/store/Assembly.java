package dev.bobbin.image.store;

import dev.bobbin.image.Descriptor;
import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageManifest;
import dev.bobbin.image.PullProgress;
import dev.bobbin.image.archive.Compression;
import dev.bobbin.image.archive.ExtractionLimits;
import dev.bobbin.image.archive.LayerExtractor;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/// Makes the layers of an image ready: several at once, each unpacked while it is downloaded, none brought twice.
final class Assembly {
    /* A layer is brought by one; others who want it wait until that one is done, whatever came of it, and look again. Nobody
     * waits for anything else while he brings a layer: if one below is not ready when a layer begins to come, it is only
     * downloaded, and unpacked from its blob once the ones below are there. */

    private static final int AT_ONCE = 4;
    private static final long PROGRESS_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final Blobs blobs;
    private final Layers layers;
    private final ExtractionLimits limits;
    private final LayerExtractor extractor;
    private final Semaphore places = new Semaphore(AT_ONCE, true);
    private final Map<Digest, CompletableFuture<Void>> arriving = new ConcurrentHashMap<>();

    Assembly(Blobs blobs, Layers layers, ExtractionLimits limits) {
        this.blobs = blobs;
        this.layers = layers;
        this.limits = limits;
        this.extractor = new LayerExtractor(limits);
    }

    /// Where a layer comes from that is not in the store.
    interface Source {
        InputStream open(Descriptor layer) throws IOException;
    }

    /// Returns when all layers of the image are in the store and unpacked. The caller has pinned them.
    void ready(ImageManifest manifest, ImageConfig config, Source source, Consumer<PullProgress> progress) {
        var diffIds = config.origin().diffIds();
        if (diffIds.size() != manifest.layers().size()) {
            throw ImageException.invalid("the image has " + manifest.layers().size()
                    + " layers, and its configuration says " + diffIds.size());
        }
        var chains = Chains.of(diffIds);
        var all = new ArrayList<Future<?>>();
        try (var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
            try {
                for (var number = 0; number < chains.size(); number++) {
                    var part = new Part(manifest.layers().get(number), diffIds.get(number), chains, number);
                    var below = List.copyOf(all);
                    places.acquire();
                    all.add(tasks.submit(() -> {
                        try {
                            return bring(part, source, progress);
                        } finally {
                            places.release();
                        }
                    }));
                    all.set(number, after(all.get(number), part, below, progress, tasks::submit));
                }
                for (var one : all) {
                    one.get();
                }
            } catch (ExecutionException e) {
                tasks.shutdownNow();
                throw unwrapped(e);
            } catch (InterruptedException _) {
                tasks.shutdownNow();
                Thread.currentThread().interrupt();
                throw new CancellationException("the pull was cancelled");
            }
        }
    }

    private interface Submit {
        Future<?> submit(java.util.concurrent.Callable<Object> task);
    }

    /// What is left to do once a layer is brought: unpack it, if that had to wait for the layers below.
    private Future<?> after(
            Future<?> brought, Part part, List<Future<?>> below, Consumer<PullProgress> progress, Submit submit) {
        return submit.submit(() -> {
            brought.get();
            if (!layers.has(part.chain())) {
                for (var one : below) {
                    one.get();
                }
                try (var in = blobs.open(part.layer.digest())) {
                    make(part, in);
                }
                progress.accept(new PullProgress.LayerUnpacked(part.layer.digest()));
            }
            return part;
        });
    }

    /// Brings the blob of a layer, and unpacks it if nothing is in the way.
    private Part bring(Part part, Source source, Consumer<PullProgress> progress) throws Exception {
        var layer = part.layer;
        var mine = new CompletableFuture<Void>();
        for (var other = arriving.putIfAbsent(layer.digest(), mine);
                other != null;
                other = arriving.putIfAbsent(layer.digest(), mine)) {
            other.get();
        }
        try {
            if (!blobs.has(layer)) {
                download(part, source, progress);
            } else if (layers.has(part.chain())) {
                progress.accept(new PullProgress.LayerExists(layer.digest()));
            } else {
                try (var in = blobs.open(layer.digest())) {
                    makeIfPossible(part, in);
                }
            }
        } finally {
            arriving.remove(layer.digest(), mine);
            mine.complete(null);
        }
        return part;
    }

    private void download(Part part, Source source, Consumer<PullProgress> progress) throws IOException {
        var layer = part.layer;
        try (var arrival = blobs.arrival(layer.digest().algorithm());
                var in = source.open(layer);
                var tee = new Tee(in, arrival, throttled(layer, progress))) {
            var unpacked = !layers.has(part.chain()) && makeIfPossible(part, tee);
            tee.transferTo(OutputStream.nullOutputStream());
            arrival.keep(layer);
            if (unpacked) {
                progress.accept(new PullProgress.LayerUnpacked(layer.digest()));
            }
        }
    }

    /// Unpacks a layer, unless that needs a layer below that is not there.
    private boolean makeIfPossible(Part part, InputStream compressed) throws IOException {
        try {
            make(part, compressed);
            return true;
        } catch (BelowAbsentException _) {
            return false;
        }
    }

    private void make(Part part, InputStream compressed) throws IOException {
        layers.make(part.chain(), directory -> {
            var hasher = part.diffId.hasher();
            try (var plain = Compression.open(new Unclosed(compressed), part.layer.mediaType(), limits);
                    var tar = new DigestInputStream(plain, hasher)) {
                var extracted = extractor.extract(tar, directory, part.below(layers));
                compressed.transferTo(OutputStream.nullOutputStream());
                var got = Digest.of(part.diffId.algorithm(), hasher);
                if (!got.equals(part.diffId)) {
                    throw ImageException.invalid("layer " + part.layer.digest() + " unpacks to " + got
                            + ", and the configuration says " + part.diffId);
                }
                return extracted.bytes();
            }
        });
    }

    private static LongConsumer throttled(Descriptor layer, Consumer<PullProgress> progress) {
        return new LongConsumer() {
            private long next = System.nanoTime();

            @Override
            public void accept(long bytes) {
                var now = System.nanoTime();
                if (bytes == layer.size() || now - next >= 0) {
                    next = now + PROGRESS_NANOS;
                    progress.accept(new PullProgress.LayerProgress(layer.digest(), bytes, layer.size()));
                }
            }
        };
    }

    private static RuntimeException unwrapped(ExecutionException e) {
        Throwable cause = e;
        while (cause instanceof ExecutionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return switch (cause) {
            case ClosedByInterruptException _ -> new CancellationException("the pull was cancelled");
            case IOException failed -> Disk.failure("unpack a layer", failed);
            case RuntimeException failed -> failed;
            case Error failed -> throw failed;
            default -> new IllegalStateException(cause);
        };
    }

    /// Leaves the stream open whose decompressor is closed.
    private static final class Unclosed extends FilterInputStream {
        Unclosed(InputStream in) {
            super(in);
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            return in.read(buffer, offset, length);
        }

        @Override
        public void close() {}
    }

    /// One layer of the image.
    private record Part(Descriptor layer, Digest diffId, List<Digest> chains, int number) {
        Digest chain() {
            return chains.get(number);
        }

        /// The layers below, topmost first; asking for one that is not there ends the unpacking.
        List<Path> below(Layers layers) {
            return new AbstractList<>() {
                @Override
                public Path get(int index) {
                    var chain = chains.get(number - 1 - index);
                    if (!layers.has(chain)) {
                        throw new BelowAbsentException();
                    }
                    return layers.path(chain);
                }

                @Override
                public int size() {
                    return number;
                }
            };
        }
    }

    private static final class BelowAbsentException extends RuntimeException {
        BelowAbsentException() {
            super("a layer below is not unpacked yet", null, false, false);
        }
    }
}
