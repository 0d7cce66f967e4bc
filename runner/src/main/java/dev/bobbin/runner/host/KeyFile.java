package dev.bobbin.runner.host;

import dev.bobbin.runner.JobId;
import dev.bobbin.runner.RequestKey;
import dev.bobbin.runner.RequestKey.Use;
import dev.bobbin.runner.SandboxId;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/// Keys on disk that have outlived what they began, a line each behind the version. A line that a killed server did not
/// write whole is as if it had never been. Written anew when it has twice as many as are kept. Of one thread at a time.
final class KeyFile implements AutoCloseable {
    private static final String FAMILY = "bobbin-keys ";
    private static final String VERSION = FAMILY + 2;
    /// Did not say whose a key is.
    private static final String FIRST_VERSION = FAMILY + 1;

    private final Path path;
    private final int kept;
    private Writer writer;
    private int written;

    /// One that holds `uses` and nothing else.
    KeyFile(Path path, int kept, Collection<Use> uses) throws IOException {
        this.path = path;
        this.kept = kept;
        this.writer = rewrite(uses);
    }

    /// Those that are there.
    ///
    /// @throws IOException if it is of another version
    static List<Use> read(Path path) throws IOException {
        if (Files.notExists(path)) {
            return List.of();
        }
        var text = Files.readString(path);
        var lines = text.lines().toList();
        if (!lines.isEmpty()
                && lines.getFirst().startsWith(FAMILY)
                && !Set.of(FIRST_VERSION, VERSION).contains(lines.getFirst())) {
            throw new IOException(path + " is of another version; this server reads " + VERSION);
        }
        var uses = new ArrayList<Use>();
        for (var line : text.endsWith("\n") || lines.isEmpty() ? lines : lines.subList(0, lines.size() - 1)) {
            decode(line).ifPresent(uses::add);
        }
        return List.copyOf(uses);
    }

    /// @param all those that are known, with this one
    void append(Use use, Supplier<Collection<Use>> all) throws IOException {
        if (written >= 2 * kept) {
            writer.close();
            writer = rewrite(all.get());
        } else {
            writer.write(encode(use));
            writer.flush();
            written++;
        }
    }

    private Writer rewrite(Collection<Use> all) throws IOException {
        var aside = path.resolveSibling("." + path.getFileName());
        Files.deleteIfExists(aside);
        Files.createFile(aside, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        var text = new StringBuilder(VERSION + "\n");
        all.forEach(use -> text.append(encode(use)));
        Files.writeString(aside, text);
        Files.move(aside, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        written = all.size();
        return Files.newBufferedWriter(path, StandardOpenOption.APPEND);
    }

    private static String encode(Use use) {
        var what = switch (use) {
            case Use.ByJob job -> "job " + job.id();
            case Use.BySandbox sandbox -> "sandbox " + sandbox.id();
        };
        return use.key().name() + " " + use.key().body() + " " + use.at().toEpochMilli() + " " + what + " "
                + use.tenant() + "\n";
    }

    private static Optional<Use> decode(String line) {
        var words = line.split(" ", -1);
        if (words.length < 5 || words.length > 6 || !words[2].matches("[0-9]{1,15}")) {
            return Optional.empty();
        }
        var key = new RequestKey(words[0], words[1]);
        var at = Instant.ofEpochMilli(Long.parseLong(words[2]));
        var tenant = words.length == 6 ? words[5] : "";
        return switch (words[3]) {
            case "job" -> JobId.parse(words[4]).map(id -> new Use.ByJob(key, tenant, at, id));
            case "sandbox" -> SandboxId.parse(words[4]).map(id -> new Use.BySandbox(key, tenant, at, id));
            default -> Optional.empty();
        };
    }

    @Override
    public void close() {
        try {
            writer.close();
        } catch (IOException _) {
            // everything is written already
        }
    }
}
