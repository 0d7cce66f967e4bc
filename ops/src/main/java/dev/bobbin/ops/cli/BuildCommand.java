package dev.bobbin.ops.cli;

import java.io.BufferedReader;
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
        var path = path(isArchive);
        var headers = headers();
        return server.askOfHost(connection -> {
            try (var context = isArchive ? System.in : new ContextDirectory(Path.of(directory)).archive()) {
                return build(connection, path, headers, context);
            }
        });
    }

    private int build(HttpConnection connection, String path, List<String> headers, InputStream context)
            throws IOException {
        var answer = connection.post(path, TAR, NDJSON, headers, context).accepted();
        var display = new BuildDisplay(System.out);
        var lines = new BufferedReader(new InputStreamReader(answer.body(), StandardCharsets.UTF_8));
        for (var line = lines.readLine(); line != null; line = lines.readLine()) {
            var frame = Json.object(line);
            if (!"ended".equals(frame.get("type"))) {
                display.show(frame);
                continue;
            }
            if (display.digest() != null && name != null) {
                System.out.println(name + " " + display.digest());
            }
            return new JobEnd(null).ended(frame);
        }
        throw new IOException("the server closed the connection before the end");
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
