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
import dev.bobbin.image.archive.StagedLayer;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/// Makes the layers of an image ready: several at once, each unpacked while it is downloaded, none brought twice.
final class Assembly {
    /* The blob of a layer is brought by one, and unpacked by one; others wait until that one is done, whatever came of it,
     * and look again. Who brings a blob waits for nothing else meanwhile, and who unpacks a layer waits for blobs and for the
     * layers below it only, so no order of pulls can lock up. A layer that comes before those below are ready is staged:
     * all but the names of its files is done. */

    private static final int AT_ONCE = 4;
    private static final int CHUNK = 64 * 1024;
    private static final long PROGRESS_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final Blobs blobs;
    private final Layers layers;
    private final Knowledge knowledge;
    private final ExtractionLimits limits;
    private final LayerExtractor extractor;
    private final Semaphore places = new Semaphore(AT_ONCE, true);
    private final Claims arriving = new Claims();
    private final Claims unpacking = new Claims();

    Assembly(Blobs blobs, Layers layers, Knowledge knowledge, ExtractionLimits limits) {
        this.blobs = blobs;
        this.layers = layers;
        this.knowledge = knowledge;
        this.limits = limits;
        this.extractor = new LayerExtractor(limits);
    }

    /// Where a layer comes from that is not in the store, or that its owner does not know.
    interface Source {
        InputStream open(Descriptor layer) throws IOException;

        /// Whether it gave this before, and says now that the owner may have it.
        default boolean vouches(Digest layer) {
            return false;
        }

        /// What it gave is whole.
        default void gave(Digest layer) {}
    }

    /// Returns when all layers of the image are in the store and unpacked. The caller has pinned them.
    void ready(
            String owner, ImageManifest manifest, ImageConfig config, Source source, Consumer<PullProgress> progress) {
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
                    var part = new Part(owner, manifest.layers().get(number), diffIds.get(number), chains, number);
                    var below = List.copyOf(all);
                    places.acquire();
                    all.add(tasks.submit(() -> make(part, below, source, progress)));
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

    /// Brings a layer and makes it ready; a place is taken until its blob is here.
    private Part make(Part part, List<Future<?>> below, Source source, Consumer<PullProgress> progress)
            throws Exception {
        try (var unpacking = new Unpacking(part)) {
            try {
                bring(part, unpacking, source, progress);
            } finally {
                places.release();
            }
            if (unpacking.finish(below)) {
                progress.accept(new PullProgress.LayerUnpacked(part.layer.digest()));
            }
            return part;
        }
    }

    private void bring(Part part, Unpacking unpacking, Source source, Consumer<PullProgress> progress)
            throws IOException, InterruptedException {
        var layer = part.layer;
        try (var _ = arriving.await(layer.digest())) {
            if (!blobs.has(layer)) {
                download(layer, unpacking, source, progress);
                source.gave(layer.digest());
                knowledge.note(part.owner, layer.digest());
                return;
            }
            if (!knowledge.has(part.owner, layer.digest())) {
                if (!source.vouches(layer.digest())) {
                    confirm(layer, source, progress);
                    source.gave(layer.digest());
                }
                knowledge.note(part.owner, layer.digest());
            }
            if (layers.has(part.chain()) && part.isProven(knowledge)) {
                progress.accept(new PullProgress.LayerExists(layer.digest()));
                return;
            }
            try (var in = blobs.open(layer.digest())) {
                unpacking.begin(in);
            }
        }
    }

    /// Has the source give what is here already, to whoever has not shown yet that they can get it. A registry's word
    /// alone would not do: it may be their own.
    private static void confirm(Descriptor layer, Source source, Consumer<PullProgress> progress) throws IOException {
        var told = throttled(layer, progress);
        var buffer = new byte[CHUNK];
        try (var in = source.open(layer)) {
            var count = 0L;
            for (var read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                count += read;
                told.accept(count);
            }
        }
    }

    private void download(Descriptor layer, Unpacking unpacking, Source source, Consumer<PullProgress> progress)
            throws IOException {
        try (var arrival = blobs.arrival(layer.digest().algorithm());
                var in = source.open(layer);
                var tee = new Tee(in, arrival, throttled(layer, progress))) {
            unpacking.begin(tee);
            tee.transferTo(OutputStream.nullOutputStream());
            arrival.keep(layer);
        }
    }

    /// One layer on its way to be unpacked. Nothing is seen of it before its blob is verified and in the store.
    private final class Unpacking implements AutoCloseable {
        private final Part part;
        private Claims.@Nullable Claim claim;
        private Layers.@Nullable Making making;
        private @Nullable StagedLayer staged;
        private long bytes = -1;

        Unpacking(Part part) {
            this.part = part;
            this.claim = layers.has(part.chain()) ? null : unpacking.take(part.chain());
        }

        /// Does all that can be done while the blob is read, if nobody else does. A layer that is there already must be
        /// what this blob unpacks to: the configuration may claim to be of somebody else's.
        void begin(InputStream compressed) throws IOException {
            if (claim == null || layers.has(part.chain())) {
                if (!part.isProven(knowledge)) {
                    unpacked(compressed, tar -> tar.transferTo(OutputStream.nullOutputStream()));
                }
                return;
            }
            var fresh = layers.begin(part.chain());
            making = fresh;
            if (part.isGrounded(layers)) {
                bytes = unpacked(
                        compressed,
                        tar -> extractor
                                .extract(tar, fresh.root(), part.below(layers))
                                .bytes());
            } else {
                staged = unpacked(compressed, tar -> extractor.stage(tar, fresh.parts()))
                        .orElse(null);
            }
        }

        /// Does the rest, once the layers below are ready; whether the layer was made here.
        boolean finish(List<Future<?>> below) throws Exception {
            if (claim == null) {
                claim = unpacking.await(part.chain());
            }
            if (layers.has(part.chain())) {
                return false;
            }
            for (var one : below) {
                one.get();
            }
            if (making == null || (bytes < 0 && staged == null)) {
                making = again();
            } else if (staged != null) {
                bytes = staged.place(making.root(), part.below(layers)).bytes();
            }
            making.keep(bytes);
            return true;
        }

        private Layers.Making again() throws IOException {
            close(making);
            var fresh = layers.begin(part.chain());
            making = fresh;
            try (var in = blobs.open(part.layer.digest())) {
                bytes = unpacked(
                        in,
                        tar -> extractor
                                .extract(tar, fresh.root(), part.below(layers))
                                .bytes());
            }
            return fresh;
        }

        private <T> T unpacked(InputStream compressed, Work<T> work) throws IOException {
            var hasher = part.diffId.hasher();
            try (var plain = Compression.open(new Unclosed(compressed), part.layer.mediaType(), limits);
                    var tar = new DigestInputStream(plain, hasher)) {
                var done = work.with(tar);
                tar.transferTo(OutputStream.nullOutputStream());
                compressed.transferTo(OutputStream.nullOutputStream());
                var got = Digest.of(part.diffId.algorithm(), hasher);
                if (!got.equals(part.diffId)) {
                    throw ImageException.invalid("layer " + part.layer.digest() + " unpacks to " + got
                            + ", and the configuration says " + part.diffId);
                }
                return done;
            }
        }

        @Override
        public void close() {
            close(making);
            if (claim != null) {
                claim.close();
            }
        }

        private static void close(Layers.@Nullable Making making) {
            if (making != null) {
                making.close();
            }
        }
    }

    private interface Work<T> {
        T with(InputStream tar) throws IOException;
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
    private record Part(String owner, Descriptor layer, Digest diffId, List<Digest> chains, int number) {
        Digest chain() {
            return chains.get(number);
        }

        boolean isProven(Knowledge knowledge) {
            return knowledge.isProven(layer.digest(), diffId);
        }

        /// Whether the layers below are ready.
        boolean isGrounded(Layers layers) {
            return chains.subList(0, number).stream().allMatch(layers::has);
        }

        /// The layers below, topmost first.
        List<Path> below(Layers layers) {
            return chains.subList(0, number).reversed().stream()
                    .map(layers::path)
                    .toList();
        }
    }
}
