package dev.bobbin.image.store;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.bobbin.image.Digest;
import dev.bobbin.image.archive.LayerExtractor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/// Unpacked layers, ready to be overlay lowers: `layers/<chain id>/fs`, beside a note `layer.json` of its size.
final class Layers {
    /* The files of a layer are too many to be brought to the disk one by one while somebody waits for the image. So a layer
     * notes the boot in which it was made, and `synced` appears beside it once the whole file system was brought to the
     * disk after that. One without, of an earlier boot, may have holes after a power cut: it is taken away when the store
     * is opened, and unpacked anew from its blob, which was on the disk before. */

    private static final JsonMapper MAPPER = new JsonMapper();
    private static final Path BOOT = Path.of("/proc/sys/kernel/random/boot_id");

    private final Disk disk;
    private final String boot;

    Layers(Disk disk) throws IOException {
        this.disk = disk;
        this.boot = Files.readString(BOOT).strip();
        for (var chain : all()) {
            var layer = directory(chain);
            var whole = Files.exists(layer.resolve("synced"))
                    || note(chain).map(note -> note.boot.equals(boot)).orElse(false);
            if (!whole || !has(chain)) {
                disk.discard(layer);
            }
        }
    }

    boolean has(Digest chain) {
        return Files.isDirectory(path(chain), LinkOption.NOFOLLOW_LINKS);
    }

    Path path(Digest chain) {
        return directory(chain).resolve("fs");
    }

    /// What a [Rootfs] calls it.
    static String name(Digest chain) {
        return chain.hex() + "/fs";
    }

    /// The layer that has this name, if it is one of ours.
    static Optional<Digest> named(String name) {
        var slash = name.indexOf('/');
        return slash < 0 ? Optional.empty() : chain(name.substring(0, slash));
    }

    long bytes(Digest chain) {
        return note(chain).map(Note::bytes).orElse(0L);
    }

    /// Begins to make a layer.
    Making begin(Digest chain) throws IOException {
        var made = disk.fresh("layer");
        try {
            var root = Files.createDirectories(made.resolve("fs"));
            Files.setAttribute(root, "unix:mode", 0755);
            Files.createDirectory(made.resolve("parts"));
            return new Making(chain, made);
        } catch (IOException e) {
            disk.remove(made);
            throw e;
        }
    }

    /// A layer that is being made. Closing it forgets what was not kept.
    final class Making implements AutoCloseable {
        private final Digest chain;
        private final Path made;

        private Making(Digest chain, Path made) {
            this.chain = chain;
            this.made = made;
        }

        /// An empty directory, to become the layer.
        Path root() {
            return made.resolve("fs");
        }

        /// An empty directory for what is needed meanwhile; it has to be empty in the end.
        Path parts() {
            return made.resolve("parts");
        }

        /// Keeps the layer, unless somebody else made the same meanwhile.
        ///
        /// @param bytes of its files
        void keep(long bytes) throws IOException {
            Files.delete(parts());
            Files.writeString(
                    made.resolve("layer.json"),
                    MAPPER.createObjectNode()
                            .put("version", 1)
                            .put("bytes", bytes)
                            .put("boot", boot)
                            .toString());
            try {
                Files.move(made, directory(chain), java.nio.file.StandardCopyOption.ATOMIC_MOVE);
            } catch (FileSystemException e) {
                if (!has(chain)) {
                    throw e;
                }
            }
        }

        @Override
        public void close() {
            if (Files.exists(made)) {
                disk.remove(made);
            }
        }
    }

    /// Brings these to the disk, with everything else of the file system, and notes it.
    void synchronize(List<Digest> chains) throws IOException {
        var open = chains.stream()
                .filter(chain -> has(chain) && !Files.exists(directory(chain).resolve("synced")))
                .toList();
        if (open.isEmpty()) {
            return;
        }
        LayerExtractor.synchronize(disk.layers());
        for (var chain : open) {
            if (has(chain)) {
                disk.write(directory(chain).resolve("synced"), boot.getBytes(StandardCharsets.US_ASCII));
            }
        }
    }

    List<Digest> all() throws IOException {
        var all = new ArrayList<Digest>();
        try (var directories = Files.newDirectoryStream(disk.layers())) {
            directories.forEach(
                    directory -> chain(directory.getFileName().toString()).ifPresent(all::add));
        }
        return all;
    }

    void discard(Digest chain) throws IOException {
        disk.discard(directory(chain));
    }

    private Path directory(Digest chain) {
        return disk.layers().resolve(chain.hex());
    }

    private Optional<Note> note(Digest chain) {
        try {
            var json = MAPPER.readTree(Files.readAllBytes(directory(chain).resolve("layer.json")));
            return Optional.of(
                    new Note(json.path("bytes").asLong(), json.path("boot").asText("")));
        } catch (IOException _) {
            return Optional.empty();
        }
    }

    private static Optional<Digest> chain(String hex) {
        try {
            HexFormat.of().parseHex(hex);
            return Optional.of(new Digest(hex.length() == 64 ? "sha256" : "sha512", hex));
        } catch (IllegalArgumentException _) {
            return Optional.empty();
        }
    }

    private record Note(long bytes, String boot) {}
}
