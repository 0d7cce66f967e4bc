package dev.bobbin.image.store;

import dev.bobbin.image.Credentials;
import dev.bobbin.image.Descriptor;
import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageProblem;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.Platform;
import dev.bobbin.image.PullProgress;
import dev.bobbin.image.registry.Registries;
import dev.bobbin.image.registry.Resolved;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Brings images from registries into the store.
final class Pulls implements AutoCloseable {
    private static final int LONGEST_CONFIG = 8 << 20;

    private final Registries registries;
    private final Blobs blobs;
    private final Newcomers newcomers;
    private final Knowledge knowledge;
    private final MeterRegistry meters;
    private final Counter bytes;
    private final Flights flights;

    Pulls(Registries registries, Blobs blobs, Newcomers newcomers, Knowledge knowledge, MeterRegistry meters) {
        this.registries = registries;
        this.blobs = blobs;
        this.newcomers = newcomers;
        this.knowledge = knowledge;
        this.meters = meters;
        this.bytes = Counter.builder("bobbin.image.pull.bytes")
                .description("Bytes of layers that came from registries")
                .register(meters);
        this.flights = new Flights(Counter.builder("bobbin.image.pull.coalesced")
                .description("Pulls that waited for one that was under way")
                .register(meters)::increment);
    }

    Image pull(
            String owner,
            ImageReference reference,
            Platform platform,
            @Nullable Credentials credentials,
            Consumer<PullProgress> progress) {
        var key = java.util.Arrays.asList(owner, reference.canonical(), platform, credentials);
        return flights.fly(key, listener -> timed(owner, reference, platform, credentials, listener), progress);
    }

    /// Ends those that are under way.
    @Override
    public void close() {
        flights.close();
    }

    private Image timed(
            String owner,
            ImageReference reference,
            Platform platform,
            @Nullable Credentials credentials,
            Consumer<PullProgress> progress) {
        var timer = Timer.start(meters);
        var result = "error";
        try {
            var image = pullNow(owner, reference, platform, credentials, progress);
            result = "ok";
            return image;
        } catch (ImageException e) {
            result = e.problem().name().toLowerCase(java.util.Locale.ROOT);
            throw e;
        } finally {
            timer.stop(Timer.builder("bobbin.image.pull")
                    .description("From the question to a registry until the image is ready to run")
                    .tag("source", "registry")
                    .tag("result", result)
                    .register(meters));
        }
    }

    private Image pullNow(
            String owner,
            ImageReference reference,
            Platform platform,
            @Nullable Credentials credentials,
            Consumer<PullProgress> progress) {
        progress.accept(new PullProgress.Resolving(reference));
        var resolved = registries.resolve(reference, platform, credentials, document -> here(owner, document));
        var chosen = resolved.index();
        progress.accept(new PullProgress.Resolved(
                chosen == null ? null : chosen.descriptor().digest(),
                resolved.manifest().descriptor().digest(),
                resolved.content().config().digest(),
                resolved.content().layers().size()));
        var foreign = resolved.content().layers().stream()
                .filter(layer -> !layer.urls().isEmpty())
                .findFirst();
        if (foreign.isPresent()) {
            throw new ImageException(
                    ImageProblem.UNSUPPORTED,
                    "layer " + foreign.get().digest() + " of " + reference + " is kept outside the registry");
        }
        try (var newcomer = newcomers.expect(parts(resolved), resolved.settings())) {
            var index = resolved.index();
            var documents = new ArrayList<>(List.of(resolved.manifest(), resolved.config()));
            if (index != null) {
                documents.add(index);
            }
            for (var document : documents) {
                if (!blobs.has(document.descriptor())) {
                    blobs.put(document.descriptor(), new ByteArrayInputStream(document.bytes()));
                }
            }
            newcomer.assemble(owner, resolved.content(), new Origin(reference, credentials), counted(progress));
            var image = newcomer.name(
                    owner, reference, resolved.manifest().descriptor(), index == null ? null : index.descriptor());
            progress.accept(new PullProgress.Done(image.digest()));
            return image;
        } catch (IOException e) {
            throw Disk.failure("pull " + reference, e);
        }
    }

    /// A document of the store that the owner knows; a damaged one is as good as none.
    private Optional<byte[]> here(String owner, Descriptor document) {
        try {
            return blobs.has(document) && knowledge.has(owner, document.digest())
                    ? Optional.of(blobs.bytes(document, (int) Math.min(document.size(), LONGEST_CONFIG)))
                    : Optional.empty();
        } catch (ImageException _) {
            return Optional.empty();
        }
    }

    private Consumer<PullProgress> counted(Consumer<PullProgress> progress) {
        var seen = new java.util.concurrent.ConcurrentHashMap<Digest, Long>();
        return event -> {
            if (event instanceof PullProgress.LayerProgress layer) {
                var before = seen.put(layer.digest(), layer.transferredBytes());
                bytes.increment((double) layer.transferredBytes() - (before == null ? 0 : before));
            }
            progress.accept(event);
        };
    }

    /// The repository an image comes from. It has just shown the caller a manifest that names the layers, so it vouches
    /// for
    /// those that it was seen to give, to whomever.
    private final class Origin implements Assembly.Source {
        private final ImageReference reference;
        private final @Nullable Credentials credentials;
        private final String place;

        Origin(ImageReference reference, @Nullable Credentials credentials) {
            this.reference = reference;
            this.credentials = credentials;
            this.place = reference.registry() + "/" + reference.repository();
        }

        @Override
        public InputStream open(Descriptor layer) {
            return registries.blob(reference, layer, credentials);
        }

        @Override
        public boolean vouches(Digest layer) {
            return knowledge.has(place, layer);
        }

        @Override
        public void gave(Digest layer) {
            knowledge.note(place, layer);
        }
    }

    private static List<Descriptor> parts(Resolved resolved) {
        var parts = new ArrayList<Descriptor>();
        parts.add(resolved.manifest().descriptor());
        parts.add(resolved.config().descriptor());
        parts.addAll(resolved.content().layers());
        if (resolved.index() != null) {
            parts.add(resolved.index().descriptor());
        }
        return parts;
    }
}
