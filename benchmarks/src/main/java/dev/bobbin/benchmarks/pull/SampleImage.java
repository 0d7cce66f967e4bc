package dev.bobbin.benchmarks.pull;

import dev.bobbin.benchmarks.compare.Scratch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// An image made of files of this machine: real libraries and programs, so that it compresses as images do.
///
/// @param name where it is
/// @param layers how many it has
/// @param tarBytes of its layers, uncompressed
/// @param gzipBytes of its layers, as they are sent
/// @param files in its layers
record SampleImage(String name, int layers, long tarBytes, long gzipBytes, int files) {
    private static final Path BUSYBOX = Path.of("/bin/busybox");
    private static final List<Path> SOURCES = List.of(Path.of("/usr/lib"), Path.of("/usr/share"), Path.of("/usr/bin"));
    private static final long LARGEST_FILE = 16 << 20;
    private static final long LAYER_BYTES = 55 << 20;
    private static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";

    /// Only busybox, in one layer.
    static SampleImage small(Scratch scratch, LocalRegistry registry) throws IOException, InterruptedException {
        return make(scratch, registry, "busybox", List.of(List.of()));
    }

    /// Four layers of 55 MiB each, busybox beside them.
    static SampleImage large(Scratch scratch, LocalRegistry registry) throws IOException, InterruptedException {
        var all = new ArrayList<Path>();
        for (var source : SOURCES) {
            try (var tree = Files.walk(source)) {
                tree.filter(SampleImage::isWanted).sorted().forEach(all::add);
            } catch (UncheckedIOException e) {
                throw new IOException("the files of " + source + " change while they are read", e);
            }
        }
        var parts = new ArrayList<List<Path>>();
        var next = 0;
        for (var layer = 0; layer < 4; layer++) {
            var part = new ArrayList<Path>();
            for (var bytes = 0L; bytes < LAYER_BYTES; next++) {
                if (next == all.size()) {
                    throw new IOException("this machine has too few files in " + SOURCES + " for an image of 4 layers");
                }
                part.add(all.get(next));
                bytes += Files.size(all.get(next));
            }
            parts.add(part);
        }
        return make(scratch, registry, "large", parts);
    }

    private static boolean isWanted(Path path) {
        try {
            return Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS) && Files.size(path) <= LARGEST_FILE;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static SampleImage make(Scratch scratch, LocalRegistry registry, String repository, List<List<Path>> parts)
            throws IOException, InterruptedException {
        var home = Files.createDirectory(scratch.directory().resolve(repository));
        var blobs = Files.createDirectories(home.resolve("layout/blobs/sha256"));
        var diffIds = new ArrayList<String>();
        var layers = new ArrayList<String>();
        var tarBytes = 0L;
        var gzipBytes = 0L;
        for (var number = 0; number < parts.size(); number++) {
            var tar = home.resolve("layer.tar");
            pack(home, number == 0, parts.get(number), tar);
            diffIds.add('"' + digest(tar) + '"');
            tarBytes += Files.size(tar);
            Scratch.run(List.of("gzip", "-6", "-n", "-f", tar.toString()));
            var packed = home.resolve("layer.tar.gz");
            gzipBytes += Files.size(packed);
            layers.add(descriptor("application/vnd.oci.image.layer.v1.tar+gzip", packed, blobs));
        }
        var machine = System.getProperty("os.arch").equals("aarch64") ? "arm64" : "amd64";
        var config = Files.writeString(
                home.resolve("config"),
                "{\"architecture\":\"" + machine
                        + "\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"/bin/busybox\",\"true\"]},"
                        + "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[" + String.join(",", diffIds) + "]}}");
        var manifest = Files.writeString(
                home.resolve("manifest"),
                "{\"schemaVersion\":2,\"mediaType\":\"" + MANIFEST + "\",\"config\":"
                        + descriptor("application/vnd.oci.image.config.v1+json", config, blobs) + ",\"layers\":["
                        + String.join(",", layers) + "]}");
        Files.writeString(home.resolve("layout/oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
        var index = descriptor(MANIFEST, manifest, blobs);
        Files.writeString(
                home.resolve("layout/index.json"),
                "{\"schemaVersion\":2,\"manifests\":["
                        + index.replaceFirst("}$", ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"it\"}}")
                        + "]}");
        var name = registry.name(repository + ":1");
        Scratch.run(List.of(
                "skopeo",
                "--insecure-policy",
                "copy",
                "-q",
                "--dest-tls-verify=false",
                "oci:" + home.resolve("layout") + ":it",
                "docker://" + name));
        Scratch.run(List.of("rm", "-rf", home.toString()));
        var files = 1 + parts.stream().mapToInt(List::size).sum();
        return new SampleImage(name, parts.size(), tarBytes, gzipBytes, files);
    }

    /// A layer as image builders write it: each directory before what is in it.
    private static void pack(Path home, boolean withBusybox, List<Path> files, Path tar)
            throws IOException, InterruptedException {
        var names = new LinkedHashSet<String>();
        for (var file : files) {
            for (var depth = 1; depth <= file.getNameCount(); depth++) {
                names.add(file.subpath(0, depth).toString());
            }
        }
        var list = Files.writeString(
                home.resolve("names"), names.stream().map(name -> name + "\0").collect(Collectors.joining()));
        Scratch.run(List.of(
                "tar",
                "-C",
                "/",
                "-cf",
                tar.toString(),
                "--numeric-owner",
                "--no-recursion",
                "--null",
                "--verbatim-files-from",
                "-T",
                list.toString()));
        if (withBusybox) {
            var root = Files.createDirectories(home.resolve("root/bin"));
            Files.copy(BUSYBOX, root.resolve("busybox"), java.nio.file.StandardCopyOption.COPY_ATTRIBUTES);
            Scratch.run(List.of(
                    "tar", "-C", home.resolve("root").toString(), "-rf", tar.toString(), "--numeric-owner", "bin"));
        }
    }

    /// Moves a file to the blobs, and says what it is.
    private static String descriptor(String type, Path file, Path blobs) throws IOException, InterruptedException {
        var digest = digest(file);
        var size = Files.size(file);
        Files.move(file, blobs.resolve(digest.substring("sha256:".length())));
        return String.format(Locale.ROOT, "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d}", type, digest, size);
    }

    /// By a native program: the JVM of a benchmark compiles in a hurry.
    private static String digest(Path file) throws IOException, InterruptedException {
        return "sha256:" + Scratch.run(List.of("sha256sum", file.toString())).substring(0, 64);
    }
}
