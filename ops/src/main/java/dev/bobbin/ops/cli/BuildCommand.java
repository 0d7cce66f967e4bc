package dev.bobbin.ops.cli;

import java.io.BufferedReader;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Builds an image.
@Command(
        name = "build",
        description = "Builds an image of a directory with a Dockerfile or a MiniBox file.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class BuildCommand implements Callable<Integer> {
    private static final int INTERRUPTED = 128 + 2;
    private static final String TAR = "application/x-tar";
    private static final String NDJSON = "application/x-ndjson";

    @Parameters(paramLabel = "DIR", description = "The files to build of; - for a tar archive on standard input.")
    private String directory = "";

    @Option(
            names = {"-t", "--tag"},
            paramLabel = "NAME",
            description = "What the image is called.")
    private @Nullable String name;

    @Option(
            names = {"-f", "--file"},
            paramLabel = "FILE",
            description = "The recipe, in DIR. Default: Dockerfile, else MiniBox.")
    private @Nullable Path file;

    @Option(names = "--build-arg", paramLabel = "NAME=VALUE", description = "A value for an ARG; may repeat.")
    private Map<String, String> arguments = new LinkedHashMap<>();

    @Option(names = "--target", paramLabel = "STAGE", description = "The stage or block to build. Default: the last.")
    private @Nullable String target;

    @Option(names = "--secret", paramLabel = "ID=FILE", description = "What commands may ask for; may repeat.")
    private Map<String, Path> secrets = new LinkedHashMap<>();

    @Option(names = "--network", paramLabel = "none|bridge|host", description = "What commands reach. Default: bridge.")
    private @Nullable String network;

    @Option(names = "--no-cache", description = "Do everything, even what was done before.")
    private boolean noCache;

    @Option(
            names = "--progress",
            paramLabel = "auto|plain|tty",
            description = "Lines, or a view that is drawn again and again. Default: that on a terminal, else lines.")
    private String progress = "auto";

    @Mixin
    private final ServerOptions server;

    BuildCommand(ServerOptions server) {
        this.server = server;
    }

    @Override
    public Integer call() throws IOException {
        var isArchive = directory.equals("-");
        if (!isArchive && !Files.isDirectory(Path.of(directory))) {
            System.err.println("bobbin: there is no directory " + directory + ".");
            return 2;
        }
        if (!List.of("auto", "plain", "tty").contains(progress)) {
            System.err.println("bobbin: --progress must be auto, plain or tty.");
            return 2;
        }
        var path = path(isArchive);
        var headers = headers();
        return server.askOfHost(connection -> {
            try (var context = isArchive ? System.in : new ContextDirectory(Path.of(directory)).archive()) {
                return cancellable(connection, () -> build(connection, path, headers, context));
            }
        });
    }

    @FunctionalInterface
    private interface Work {
        int run() throws IOException;
    }

    /// With ctrl-C the connection ends, and with it the build; with a second one this command.
    private static int cancellable(HttpConnection connection, Work work) throws IOException {
        var cancelled = new AtomicBoolean();
        Signals.on("INT", () -> {
            if (cancelled.getAndSet(true)) {
                Runtime.getRuntime().halt(INTERRUPTED);
            }
            try {
                connection.close();
            } catch (IOException _) {
                // it has ended
            }
        });
        try {
            return work.run();
        } catch (IOException e) {
            if (!cancelled.get()) {
                throw e;
            }
            System.err.println("bobbin: cancelled");
            return INTERRUPTED;
        }
    }

    private BuildView view() {
        var environment = server.environment();
        var able = Terminal.OUT.isThere()
                && !environment.getOrDefault("TERM", "dumb").equals("dumb");
        var ink = environment.getOrDefault("NO_COLOR", "").isEmpty() ? Ink.COLOURED : Ink.PLAIN;
        if (progress.equals("plain") || (progress.equals("auto") && !able)) {
            var terminal = able ? ink : Ink.PLAIN;
            return new BuildLines(System.out, Terminal.OUT.isThere() ? terminal : null);
        }
        return BuildScreen.start(System.out, ink, name == null ? "" : name);
    }

    private int build(HttpConnection connection, String path, List<String> headers, InputStream context)
            throws IOException {
        try (var view = view()) {
            var answer = connection
                    .post(path, TAR, NDJSON, headers, new Sent(context, view))
                    .accepted();
            return follow(new BufferedReader(new InputStreamReader(answer.body(), StandardCharsets.UTF_8)), view);
        }
    }

    private int follow(BufferedReader lines, BuildView view) throws IOException {
        var digest = "";
        for (var line = lines.readLine(); line != null; line = lines.readLine()) {
            var frame = Json.object(line);
            view.show(frame);
            if ("finished".equals(frame.get("state"))) {
                digest = String.valueOf(frame.get("digest"));
            }
            if ("ended".equals(frame.get("type"))) {
                if (!digest.isEmpty() && name != null) {
                    System.out.println(name + " " + digest);
                }
                return new JobEnd(null).ended(frame);
            }
        }
        throw new IOException("the server closed the connection before the end");
    }

    /// The context on its way, of which is told how much has gone.
    private static final class Sent extends FilterInputStream {
        private final BuildView view;
        private long bytes;

        Sent(InputStream context, BuildView view) {
            super(context);
            this.view = view;
        }

        @Override
        public int read(byte[] buffer, int from, int length) throws IOException {
            var read = super.read(buffer, from, length);
            bytes += Math.max(0, read);
            view.sent(bytes);
            return read;
        }
    }

    private String path(boolean isArchive) {
        var query = new ArrayList<String>();
        add(query, "name", name);
        add(query, "file", file == null ? null : inContext(file, isArchive));
        add(query, "target", target);
        add(query, "network", network);
        arguments.forEach((key, value) -> add(query, "arg." + key, value));
        if (noCache) {
            query.add("no_cache");
        }
        return "/v1/builds?" + String.join("&", query);
    }

    private static void add(List<String> query, String key, @Nullable String value) {
        if (value != null) {
            query.add(ImageClient.encoded(key) + "=" + ImageClient.encoded(value));
        }
    }

    /// As the server finds it: a path that leads into DIR from here, or one within it.
    private String inContext(Path recipe, boolean isArchive) {
        if (isArchive || !Files.exists(recipe)) {
            return recipe.toString();
        }
        var root = Path.of(directory).toAbsolutePath().normalize();
        var absolute = recipe.toAbsolutePath().normalize();
        return absolute.startsWith(root) ? root.relativize(absolute).toString() : recipe.toString();
    }

    private List<String> headers() throws IOException {
        var headers = new ArrayList<String>();
        for (var secret : secrets.entrySet()) {
            var value = Base64.getEncoder().encodeToString(Files.readAllBytes(secret.getValue()));
            headers.add("Bobbin-Build-Secret: " + secret.getKey() + "=" + value);
        }
        return headers;
    }
}
