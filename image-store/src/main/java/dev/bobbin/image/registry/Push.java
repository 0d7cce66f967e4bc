package dev.bobbin.image.registry;

import dev.bobbin.image.BlobSource;
import dev.bobbin.image.Descriptor;
import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageManifest;
import dev.bobbin.image.ImageProblem;
import dev.bobbin.image.MediaTypes;
import dev.bobbin.image.PullProgress;
import dev.bobbin.image.registry.wire.Origin;
import dev.bobbin.image.registry.wire.Request;
import dev.bobbin.image.registry.wire.Response;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// Brings an image to a repository: what it has is not sent again, what another repository of the registry has is
/// mounted from there, the manifest comes last.
final class Push {
    private static final String SCOPE = "pull,push";

    private final Repository repository;
    private final Set<String> others;
    private final BlobSource blobs;
    private final Consumer<PullProgress> progress;
    private final Supplier<Retry> retries;

    /// @param others repositories of the same registry that may have blobs of the image
    /// @param retries a fresh one for each blob
    Push(
            Repository repository,
            Set<String> others,
            BlobSource blobs,
            Consumer<PullProgress> progress,
            Supplier<Retry> retries) {
        this.repository = repository;
        this.others = others;
        this.blobs = blobs;
        this.progress = progress;
        this.retries = retries;
    }

    /// Sends configuration and layers, several at once, and then the manifest.
    void send(Resolved.Document manifest, ImageManifest content, String tagOrDigest) {
        var wanted = new LinkedHashSet<Digest>();
        try (var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
            var ends = new ExecutorCompletionService<Void>(tasks);
            var count = 0;
            for (var blob : blobsOf(content)) {
                if (!MediaTypes.isForeignLayer(blob.mediaType()) && wanted.add(blob.digest())) {
                    ends.submit(() -> place(blob), null);
                    count++;
                }
            }
            try {
                for (; count > 0; count--) {
                    ends.take().get();
                }
            } catch (ExecutionException e) {
                tasks.shutdownNow();
                throw e.getCause() instanceof RuntimeException known
                        ? known
                        : new IllegalStateException("push to " + repository.path(), e.getCause());
            } catch (InterruptedException e) {
                tasks.shutdownNow();
                Thread.currentThread().interrupt();
                throw new CancellationException("interrupted while pushing to " + repository.path());
            }
        }
        publish(manifest, tagOrDigest);
    }

    private static List<Descriptor> blobsOf(ImageManifest content) {
        var all = new ArrayList<Descriptor>();
        all.add(content.config());
        all.addAll(content.layers());
        return all;
    }

    private void place(Descriptor blob) {
        var places = repository.upstream().permits();
        try {
            places.acquire();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("interrupted while waiting to push " + blob.digest());
        }
        try {
            var retry = retries.get();
            if (has(blob, retry) || mounted(blob, retry)) {
                progress.accept(new PullProgress.LayerExists(blob.digest()));
            } else {
                upload(blob, retry);
            }
        } finally {
            places.release();
        }
    }

    private boolean has(Descriptor blob, Retry retry) {
        var request = repository.request("HEAD", "blobs/" + blob.digest(), it -> it);
        return repository.call(request, SCOPE, retry, response -> {
            if (response.status() != 200 && response.status() != 404) {
                throw repository.refused(response, "asked for blob " + blob.digest());
            }
            try (response) {
                var size = response.headers().first("Content-Length");
                return response.status() == 200
                        && size.map(Long.toString(blob.size())::equals).orElse(true);
            }
        });
    }

    private boolean mounted(Descriptor blob, Retry retry) {
        for (var other : others) {
            var request =
                    repository.request("POST", "blobs/uploads/?mount=" + blob.digest() + "&from=" + other, it -> it);
            var done = repository.call(request, SCOPE, retry, response -> {
                try (response) {
                    return response.status() == 201;
                }
            });
            if (done) {
                return true;
            }
        }
        return false;
    }

    /// Sends a blob in one piece. What broke off begins anew in another upload, as nobody knows how much arrived.
    private void upload(Descriptor blob, Retry retry) {
        while (true) {
            try {
                var place = begin(blob, retry);
                finish(blob, place, retry.single());
                return;
            } catch (ImageException e) {
                if (e.problem() != ImageProblem.UNAVAILABLE || !retry.again(Optional.empty())) {
                    throw e;
                }
            }
        }
    }

    private URI begin(Descriptor blob, Retry retry) {
        var request = repository.request("POST", "blobs/uploads/", it -> it);
        return repository.call(request, SCOPE, retry, response -> {
            if (response.status() != 202) {
                throw repository.refused(response, "asked to take blob " + blob.digest());
            }
            try (response) {
                return place(response, blob);
            }
        });
    }

    /// Where the upload goes: always the registry itself, which is shown credentials there.
    private static URI place(Response response, Descriptor blob) throws IOException {
        var location = response.headers().first("Location").orElse("");
        try {
            var here = response.origin().at("/");
            var uri = here.resolve(new URI(location));
            var there = Origin.of(uri);
            if (!location.isEmpty() && there.equals(response.origin())) {
                var path = uri.getRawPath();
                var query = uri.getRawQuery() == null ? "?" : "?" + uri.getRawQuery() + "&";
                return here.resolve(path + query + "digest=" + blob.digest());
            }
        } catch (URISyntaxException | IllegalArgumentException e) {
            // told below
        }
        throw ImageException.invalid(response.origin() + " wants an upload to go elsewhere");
    }

    private void finish(Descriptor blob, URI place, Retry once) {
        var pulse = new Pulse(blob, progress);
        repository.call(
                _ -> Request.of("PUT", place)
                        .with("Content-Type", "application/octet-stream")
                        .with(blob.size(), () -> pulse.over(blobs.open(blob.digest()))),
                SCOPE,
                once,
                response -> {
                    if (response.status() != 201) {
                        throw repository.refused(response, "sent blob " + blob.digest());
                    }
                    response.close();
                    return true;
                });
        pulse.done();
    }

    private void publish(Resolved.Document manifest, String tagOrDigest) {
        var descriptor = manifest.descriptor();
        var request = repository.request(
                "PUT",
                "manifests/" + tagOrDigest,
                it -> it.with("Content-Type", descriptor.mediaType())
                        .with(descriptor.size(), () -> new ByteArrayInputStream(manifest.bytes())));
        repository.call(request, SCOPE, retries.get(), response -> {
            if (response.status() != 201) {
                throw repository.refused(response, "sent manifest " + tagOrDigest);
            }
            try (response) {
                var kept = response.headers().first("Docker-Content-Digest");
                if (kept.isPresent() && !kept.get().equals(descriptor.digest().text())) {
                    throw ImageException.invalid(response.origin() + " kept another manifest than it was sent");
                }
                return true;
            }
        });
    }
}
