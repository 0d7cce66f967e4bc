package dev.bobbin.scheduler.http.minibox;

import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.Platform;
import dev.bobbin.image.PullProgress;
import dev.bobbin.image.store.PullPolicy;
import dev.bobbin.runner.build.BuildCache;
import dev.bobbin.scheduler.dispatch.Dispatcher;
import dev.bobbin.scheduler.dispatch.ImageDirectory;
import dev.bobbin.scheduler.dispatch.ImageDirectory.Whose;
import dev.bobbin.scheduler.http.exchange.Disconnects;
import dev.bobbin.scheduler.http.exchange.Exchange;
import dev.bobbin.scheduler.http.exchange.Streamed;
import dev.bobbin.scheduler.http.exchange.Transfer;
import dev.bobbin.scheduler.tenant.Caller;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CancellationException;

/// Images of this host: listed, brought, forgotten, and what nobody needs taken away.
final class Images {
    private static final BuildCache.Pruned NONE = new BuildCache.Pruned(0, 0);

    private final ImageDirectory images;
    private final Dispatcher dispatcher;
    private final Disconnects disconnects;

    Images(ImageDirectory images, Dispatcher dispatcher, Disconnects disconnects) {
        this.images = images;
        this.dispatcher = dispatcher;
        this.disconnects = disconnects;
    }

    void list(ServerRequest request, ServerResponse response) {
        var all = images.list(Exchange.caller(request));
        Plain.json(request, response, json -> {
            json.writeStartArray();
            for (var image : all) {
                json.writeStartObject();
                json.writeStringField("name", image.reference().text());
                json.writeNumberField("size_bytes", image.size());
                json.writeEndObject();
            }
            json.writeEndArray();
        });
    }

    void remove(ServerRequest request, ServerResponse response) {
        var name = Plain.query(request, "image");
        if (name.isEmpty()) {
            throw Plain.bad("missing image");
        }
        if (!images.remove(RunRequest.reference(name), Exchange.caller(request), Whose.CALLERS)) {
            throw Plain.absent("image not found");
        }
        Plain.text(request, response, "Image " + name + " removed\n");
    }

    /// Takes what nobody needs, and with `?build_cache=1` what the tenant's builds left for the next.
    void prune(ServerRequest request, ServerResponse response) {
        var pruned = images.collect();
        var steps = Plain.query(request, "build_cache").equals("1") ? forgetBuilds(Exchange.caller(request)) : NONE;
        Plain.json(request, response, json -> {
            json.writeStartObject();
            json.writeNumberField("blobs_removed", pruned.blobs());
            json.writeNumberField("bytes_freed", pruned.freedBytes());
            json.writeNumberField("fuse_mounts_killed", 0);
            if (steps.entries() > 0) {
                json.writeNumberField("build_cache_removed", steps.entries());
            }
            if (steps.bytes() > 0) {
                json.writeNumberField("build_cache_bytes_freed", steps.bytes());
            }
            json.writeEndObject();
        });
    }

    private BuildCache.Pruned forgetBuilds(Caller caller) {
        try {
            return dispatcher.builds().prune(caller.tenant().name());
        } catch (IOException e) {
            throw Plain.failed("Failed to prune: " + e.getMessage());
        }
    }

    /// Answers at once and tells how it goes; what goes wrong is told in the last line.
    void pull(ServerRequest request, ServerResponse response) throws InterruptedException {
        var name = Plain.query(request, "image");
        if (name.isEmpty()) {
            throw Plain.bad("Image name is required");
        }
        var caller = Exchange.caller(request);
        response.header(HeaderNames.CONTENT_TYPE, "text/plain");
        var lines = new Lines(name, new Streamed(response));
        var puller = Thread.currentThread();
        try (var _ = disconnects.watch(response, puller::interrupt)) {
            lines.body.open();
            pull(name, caller, lines);
            lines.body.finish();
        } catch (CancellationException | IOException e) {
            throw new CloseConnectionException("nobody waits for the answer, or the server is stopping", e);
        }
    }

    private void pull(String name, Caller caller, Lines lines) throws IOException, InterruptedException {
        try {
            var reference = new ImageReference(name);
            lines.say("fetching " + name + " manifest...");
            Transfer.follow(
                    progress -> images.pull(reference, PullPolicy.ALWAYS, null, null, caller, Whose.CALLERS, progress),
                    lines);
            lines.say("registering " + name + " in index.json...");
            lines.say("successfully pulled " + name);
            lines.say("Done");
        } catch (ImageException | IllegalArgumentException e) {
            lines.line("[error] pull failed: " + e.getMessage());
        }
    }

    private static String shortened(String hex) {
        return hex.substring(0, 12);
    }

    /// The lines of a pull, each sent as it is said.
    private static final class Lines implements Transfer.Listener {
        private final Streamed body;
        private final String name;
        private final Set<String> layers = new HashSet<>();
        private int layerCount;

        Lines(String name, Streamed body) {
            this.name = name;
            this.body = body;
        }

        @Override
        public void heard(PullProgress step) throws IOException {
            switch (step) {
                case PullProgress.Resolved resolved -> resolved(resolved);
                case PullProgress.LayerProgress layer -> layer(layer.digest().hex());
                case PullProgress.LayerUnpacked _,
                        PullProgress.LayerExists _,
                        PullProgress.Resolving _,
                        PullProgress.Done _ -> {}
            }
        }

        private void resolved(PullProgress.Resolved resolved) throws IOException {
            if (resolved.index() != null) {
                var platform = Platform.ofThisMachine();
                say(name + " is a manifest list, resolving " + platform.architecture() + "/" + platform.os() + "...");
            }
            say("manifest: " + shortened(resolved.manifest().hex()));
            say("pulling config " + shortened(resolved.config().hex()) + "...");
            layerCount = resolved.layers();
        }

        private void layer(String hex) throws IOException {
            if (layers.add(hex)) {
                var all = Math.max(layerCount, layers.size());
                say("pulling layer " + layers.size() + "/" + all + " (" + shortened(hex) + ")...");
            }
        }

        @Override
        public void quiet() throws IOException {
            body.flush();
        }

        void say(String text) throws IOException {
            line("[pull] " + text);
        }

        void line(String text) throws IOException {
            var bytes = (text + "\n").getBytes(StandardCharsets.UTF_8);
            body.write(bytes, 0, bytes.length);
            body.flush();
        }
    }
}
