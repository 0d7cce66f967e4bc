package dev.bobbin.runner.sandbox;

import dev.bobbin.runner.JobId;
import dev.bobbin.runner.SandboxId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// Where things about sandboxes lie on disk; the only class that knows the paths.
public record SandboxFiles(Path dataDir, Path runDir) {
    private static final String JOURNAL_SUFFIX = ".journal";

    public Path sandboxes() {
        return dataDir.resolve("sandboxes");
    }

    public Path volumes() {
        return dataDir.resolve("volumes");
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

    /// The journal of one process of a sandbox that lasts.
    public Path journal(SandboxId id, JobId process) {
        return journals(id).resolve(process + JOURNAL_SUFFIX);
    }

    private Path journals(SandboxId id) {
        return lasting(id).resolve("journals");
    }

    /// All that is kept of a sandbox that lasts.
    public Path lasting(SandboxId id) {
        return sandboxes().resolve(id.toString());
    }

    /// What a sandbox that lasts has of its own above its image.
    public Path upper(SandboxId id) {
        return lasting(id).resolve("upper");
    }

    /// The directories in which is what its programs write, and what the overlay needs for that.
    public List<Path> written(SandboxId id) {
        return List.of(upper(id), lasting(id).resolve("work"));
    }

    public Path record(SandboxId id) {
        return lasting(id).resolve("sandbox.json");
    }

    /// What became of sandboxes that last.
    public Path events() {
        return sandboxes().resolve("events");
    }

    /// Keys of requests that have outlived what they began.
    public Path keys() {
        return sandboxes().resolve("keys");
    }

    /// Where sandboxes lie that are being removed.
    public Path trash() {
        return dataDir.resolve("trash");
    }

    /// Sandboxes that last, and what is left of such.
    public List<SandboxId> lasting() throws IOException {
        return ids(sandboxes(), "", SandboxId::parse);
    }

    /// Processes of a sandbox that lasts of which there is a journal.
    public List<JobId> journaled(SandboxId id) throws IOException {
        return ids(journals(id), JOURNAL_SUFFIX, JobId::parse);
    }

    /// Sandboxes that have live state: their PID 1 may exist.
    public List<SandboxId> live() throws IOException {
        return ids(sockets(), "", SandboxId::parse);
    }

    /// Sandboxes that did not last and of which a journal is kept.
    public List<SandboxId> kept() throws IOException {
        return ids(sandboxes(), JOURNAL_SUFFIX, SandboxId::parse);
    }

    private static <T> List<T> ids(Path directory, String suffix, Function<String, Optional<T>> parse)
            throws IOException {
        var ids = new ArrayList<T>();
        try (var entries = Files.newDirectoryStream(directory)) {
            for (var entry : entries) {
                var name = entry.getFileName().toString();
                if (name.endsWith(suffix)) {
                    parse.apply(name.substring(0, name.length() - suffix.length()))
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

    /// Removes all that is kept of a sandbox that did not last.
    public void removeKept(SandboxId id) {
        delete(journal(id));
    }

    /// Removes one journal.
    public void removeJournal(Path journal) {
        delete(journal);
    }

    private static void delete(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            throw new UncheckedIOException("remove " + path, e);
        }
    }
}
