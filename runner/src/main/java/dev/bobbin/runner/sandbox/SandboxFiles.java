package dev.bobbin.runner.sandbox;

import dev.bobbin.runner.SandboxId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Where things about sandboxes lie on disk; the only class that knows the paths.
public record SandboxFiles(Path dataDir, Path runDir) {
    private static final String JOURNAL_SUFFIX = ".journal";

    public Path sandboxes() {
        return dataDir.resolve("sandboxes");
    }

    Path sockets() {
        return runDir.resolve("s");
    }

    private Path live(SandboxId id) {
        return sockets().resolve(id.toString());
    }

    Path control(SandboxId id) {
        return live(id).resolve("control");
    }

    public Path journal(SandboxId id) {
        return sandboxes().resolve(id + JOURNAL_SUFFIX);
    }

    /// Sandboxes that have live state: their PID 1 may exist.
    public List<SandboxId> live() throws IOException {
        return ids(sockets(), "");
    }

    /// Sandboxes of which something is kept.
    public List<SandboxId> kept() throws IOException {
        return ids(sandboxes(), JOURNAL_SUFFIX);
    }

    private static List<SandboxId> ids(Path directory, String suffix) throws IOException {
        var ids = new ArrayList<SandboxId>();
        try (var entries = Files.newDirectoryStream(directory)) {
            for (var entry : entries) {
                var name = entry.getFileName().toString();
                if (name.endsWith(suffix)) {
                    SandboxId.parse(name.substring(0, name.length() - suffix.length()))
                            .ifPresent(ids::add);
                }
            }
        } catch (NoSuchFileException _) {
            return List.of();
        }
        return ids;
    }

    /// Removes the live state of a sandbox whose PID 1 is gone.
    public void removeLive(SandboxId id) {
        delete(control(id));
        delete(live(id));
    }

    /// Removes all that is kept of a sandbox.
    public void removeKept(SandboxId id) {
        delete(journal(id));
    }

    private static void delete(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            throw new UncheckedIOException("remove " + path, e);
        }
    }
}
