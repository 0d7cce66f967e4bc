package dev.bobbin.ops;

import dev.bobbin.image.ImageReference;
import dev.bobbin.image.store.ImageStore;
import dev.bobbin.ops.cli.Server;
import dev.bobbin.ops.cli.StartException;
import dev.bobbin.ops.config.BobbinConfig;
import dev.bobbin.ops.health.Health;
import dev.bobbin.ops.health.Health.Readiness;
import dev.bobbin.ops.metrics.Metrics;
import dev.bobbin.ops.preflight.HostProof;
import dev.bobbin.ops.preflight.IsolationWatch;
import dev.bobbin.ops.preflight.Preflight;
import dev.bobbin.runner.host.HostRuntime;
import dev.bobbin.runner.volume.BindConfig;
import dev.bobbin.scheduler.admission.Admission;
import dev.bobbin.scheduler.cluster.SingleHostCluster;
import dev.bobbin.scheduler.dispatch.Dispatcher;
import dev.bobbin.scheduler.dispatch.ImageDirectory;
import dev.bobbin.scheduler.http.HttpServer;
import dev.bobbin.scheduler.http.Listen;
import dev.bobbin.scheduler.placement.HostId;
import dev.bobbin.scheduler.tenant.Callers;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// All parts of one server, put together in the order in which they need each other and taken apart in reverse.
final class BobbinServer implements Server {
    private final BobbinConfig config;
    private final Metrics metrics;
    private final ImageStore images;
    private final HostRuntime runtime;
    private final Dispatcher dispatcher;
    private final HttpServer http;
    private final Optional<ImagePruning> pruning;
    private final IsolationWatch watch;
    private volatile boolean draining;
    private boolean closed;

    private BobbinServer(BobbinConfig config, Metrics metrics, ImageStore images, HostRuntime runtime) {
        this.config = config;
        this.metrics = metrics;
        this.images = images;
        this.runtime = runtime;
        this.watch = new IsolationWatch(
                new HostProof(runtime, configured(config))::examine, config.preflightEvery(), metrics.registry());
        var cluster = new SingleHostCluster(hostId(), runtime);
        this.dispatcher = new Dispatcher(
                new Admission(config.admission(), runtime.capacity()),
                cluster,
                runtime,
                config.publish(),
                metrics.registry());
        this.http = new HttpServer(
                config.http(),
                dispatcher,
                dispatcher.sandboxes(),
                new ImageDirectory(images),
                new Callers(config.tokens()),
                List.of(metrics, new Health(this::readiness), new PreflightRoute(watch)));
        this.pruning = config.images()
                .prune()
                .map(policy ->
                        ImagePruning.start(images, policy, config.images().pruneEvery()));
    }

    static BobbinServer start(BobbinConfig config) {
        Logging.start();
        check(config);
        config.http().listen().forEach(BobbinServer::checkFree);
        var metrics = new Metrics();
        var images = images(config, metrics);
        var server = new BobbinServer(config, metrics, images, open(config, images, metrics));
        try {
            server.http.start();
        } catch (RuntimeException failed) {
            server.close();
            throw new StartException(sentence("Cannot serve: " + failed.getMessage()), failed);
        }
        Thread.ofVirtual().name("process-metrics").start(metrics::watchProcess);
        return server;
    }

    @Override
    public List<String> addresses() {
        var addresses = new ArrayList<String>();
        var free = true;
        for (var listen : config.http().listen()) {
            addresses.add(
                    switch (listen) {
                        case Listen.Unix unix -> unix.toString();
                        case Listen.Tcp tcp -> {
                            var port = free ? http.port() : tcp.port();
                            free = false;
                            yield "http://" + new Listen.Tcp(tcp.host(), port);
                        }
                    });
        }
        return addresses;
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        draining = true;
        watch.close();
        try {
            dispatcher.drain();
            runtime.drain(config.drainTimeout());
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } finally {
            http.stop();
            dispatcher.close();
            pruning.ifPresent(ImagePruning::close);
            runtime.close();
            images.close();
            metrics.close();
        }
    }

    private Readiness readiness() {
        if (draining) {
            return Readiness.DRAINING;
        }
        return runtime.healthy() && !watch.fails() ? Readiness.READY : Readiness.DEGRADED;
    }

    private static HostProof.Configured configured(BobbinConfig config) {
        var seccomp = config.host().seccomp();
        var profile = seccomp.profile();
        var filter = profile == null ? "default" : profile.toString();
        return new HostProof.Configured(
                config.hostImage() ? ImageReference.HOST : config.http().defaultImage(),
                seccomp.on() ? filter : "off",
                config.host().allowUnenforcedLimits(),
                binds(config.host().binds()));
    }

    private static String binds(BindConfig binds) {
        var parts = new ArrayList<String>();
        if (binds.everybody() && binds.any()) {
            parts.add("every caller may have directories of this machine mounted");
        }
        if (!binds.writablePrefixes().isEmpty()) {
            parts.add("jobs may write to " + binds.writablePrefixes() + " of this machine");
        }
        return String.join("; ", parts);
    }

    private static void check(BobbinConfig config) {
        var preflight = new Preflight(Path.of("/"));
        var missing = new ArrayList<>(preflight.missing());
        if (!config.host().allowUnenforcedLimits()) {
            missing.addAll(preflight.missingLimits());
        }
        if (missing.isEmpty()) {
            missing.addAll(preflight.makeDirectory(config.host().dataDir(), "--data-dir"));
            missing.addAll(preflight.makeDirectory(config.host().runDir(), "--run-dir"));
        }
        if (!missing.isEmpty()) {
            throw new StartException(String.join("\n", missing));
        }
    }

    private static ImageStore images(BobbinConfig config, Metrics metrics) {
        try {
            return ImageStore.open(
                    config.images().directory(), config.images().store(config.hostImage()), metrics.registry());
        } catch (RuntimeException impossible) {
            throw new StartException(sentence(impossible.getMessage()), impossible);
        }
    }

    /// The runtime says in one sentence why it cannot be.
    private static HostRuntime open(BobbinConfig config, ImageStore images, Metrics metrics) {
        try {
            return HostRuntime.open(config.host(), images, metrics.registry());
        } catch (RuntimeException impossible) {
            images.close();
            throw new StartException(sentence(impossible.getMessage()), impossible);
        }
    }

    /// Helidon does not tell which listener could not start, so each port is tried before anything else begins.
    private static void checkFree(Listen listen) {
        if (listen instanceof Listen.Tcp tcp && tcp.port() != 0) {
            try (var socket = new ServerSocket()) {
                socket.setReuseAddress(true);
                socket.bind(new InetSocketAddress(tcp.host(), tcp.port()));
            } catch (IOException taken) {
                throw new StartException("Cannot listen on " + tcp + " (" + taken.getMessage()
                        + "): stop what listens there, or choose another with --listen.");
            }
        }
    }

    private static String sentence(@org.jspecify.annotations.Nullable String message) {
        var text = message == null ? "The host's runtime cannot be opened" : message;
        return Character.toUpperCase(text.charAt(0)) + text.substring(1) + (text.endsWith(".") ? "" : ".");
    }

    private static HostId hostId() {
        try {
            return new HostId(
                    Files.readString(Path.of("/proc/sys/kernel/hostname")).strip());
        } catch (IOException | IllegalArgumentException _) {
            return new HostId("localhost");
        }
    }
}
