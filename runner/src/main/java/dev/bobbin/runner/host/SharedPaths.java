package dev.bobbin.runner.host;

import dev.bobbin.runner.kernel.Handle;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/// Directories of this machine in which callers may name files by path. What lies beneath is found by handle: no
/// symbolic link leads out of them.
public final class SharedPaths {
    private final List<Path> prefixes;
    private final List<Path> ours;

    /// @param prefixes beneath which everything may be named
    /// @param ours this server's own directories, of which nothing may
    public SharedPaths(List<Path> prefixes, List<Path> ours) {
        this.prefixes = List.copyOf(prefixes);
        this.ours = List.copyOf(ours);
    }

    /// A path that lies beneath none of the prefixes.
    public static final class NotSharedException extends IOException {
        private static final long serialVersionUID = 1;

        NotSharedException() {
            super("path is not under an allowed prefix");
        }
    }

    /// What is written to a file.
    @FunctionalInterface
    public interface Content {
        void writeTo(OutputStream out) throws IOException;
    }

    /// Whether a file that is there may be replaced.
    @FunctionalInterface
    public interface Replaceable {
        boolean test(InputStream content) throws IOException;
    }

    /// The content of a file.
    public InputStream read(String path) throws IOException {
        try (var place = place(path);
                var file = place.directory.file(place.name)) {
            return content(file, path);
        }
    }

    private static InputStream content(Handle file, String path) throws IOException {
        if (!Files.isRegularFile(file.path())) {
            throw new IOException("open " + path + ": not a regular file");
        }
        return Files.newInputStream(file.path());
    }

    /// A directory, to be read.
    ///
    /// @throws NotDirectoryException if it is something else
    public SharedDirectory directory(String path) throws IOException {
        var found = find(path);
        var beneath = found.beneath.toString();
        try (var prefix = Handle.directory(found.prefix)) {
            var opened = opened(prefix, beneath, path);
            try {
                if (!Files.isDirectory(opened.path())) {
                    throw new NotDirectoryException(path);
                }
                requireForeign(opened.path().toRealPath());
                return new SharedDirectory(opened, identities());
            } catch (IOException e) {
                opened.close();
                throw e;
            }
        }
    }

    private static Handle opened(Handle prefix, String beneath, String path) throws IOException {
        try {
            return prefix.file(beneath.isEmpty() ? "." : beneath);
        } catch (IOException e) {
            var message = String.valueOf(e.getMessage());
            throw new IOException("stat " + path + message.substring(message.lastIndexOf(": ")), e);
        }
    }

    private Set<Object> identities() throws IOException {
        var all = new HashSet<>();
        for (var own : ours) {
            if (Files.exists(own)) {
                all.add(SharedDirectory.identity(own));
            }
        }
        return all;
    }

    /// Writes a file, which appears once it is whole. Nothing whose name begins with a dot is written, nor anything
    /// beneath it: programs believe what they find there.
    ///
    /// @param replaceable asked about a file that is there already
    public void write(String path, Replaceable replaceable, Content content) throws IOException {
        try (var place = place(path)) {
            requireInSight(place, path);
            requireReplaceable(place, path, replaceable);
            var aside = ".bobbin-" + UUID.randomUUID();
            try (var file = place.directory.create(aside)) {
                try (var out = Files.newOutputStream(file.path())) {
                    content.writeTo(out);
                }
                place.directory.rename(aside, place.name);
            } catch (IOException | RuntimeException e) {
                try {
                    place.directory.remove(aside);
                } catch (IOException gone) {
                    e.addSuppressed(gone);
                }
                throw e;
            }
        }
    }

    private static void requireInSight(Place place, String path) throws IOException {
        var beneath = place.prefix.relativize(place.directory.path().toRealPath());
        for (var part : beneath.resolve(place.name)) {
            if (part.toString().startsWith(".")) {
                throw new IOException("open " + path + ": nothing is written to names that begin with a dot");
            }
        }
    }

    private static void requireReplaceable(Place place, String path, Replaceable replaceable) throws IOException {
        if (Files.notExists(place.directory.path().resolve(place.name), LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try (var there = place.directory.file(place.name);
                var in = content(there, path)) {
            if (!replaceable.test(in)) {
                throw new IOException("open " + path + ": file exists and is something else");
            }
        }
    }

    /// A directory, open, the prefix that it is beneath, and a name in it.
    private record Place(Path prefix, Handle directory, String name) implements AutoCloseable {
        @Override
        public void close() {
            directory.close();
        }
    }

    /// A prefix, where it really is, and a path beneath it.
    private record Beneath(Path prefix, Path beneath) {}

    private Place place(String text) throws IOException {
        var found = find(text);
        var name = found.beneath.getFileName().toString();
        if (name.isEmpty()) {
            throw new IOException("open " + text + ": is a directory");
        }
        var parent = Optional.ofNullable(found.beneath.getParent())
                .map(Path::toString)
                .orElse("");
        try (var prefix = Handle.directory(found.prefix)) {
            var directory = prefix.directory(parent);
            try {
                requireForeign(directory.path().toRealPath());
                return new Place(found.prefix, directory, name);
            } catch (IOException e) {
                directory.close();
                throw e;
            }
        }
    }

    private Beneath find(String text) throws IOException {
        Path path;
        try {
            path = Path.of(text).normalize();
        } catch (InvalidPathException _) {
            throw new NotSharedException();
        }
        for (var named : prefixes) {
            if (Files.isDirectory(named)) {
                var real = named.toRealPath();
                for (var start : List.of(named, real)) {
                    if (path.startsWith(start)) {
                        return new Beneath(real, start.relativize(path));
                    }
                }
            }
        }
        throw new NotSharedException();
    }

    private void requireForeign(Path real) throws IOException {
        for (var own : ours) {
            if (Files.exists(own) && real.startsWith(own.toRealPath())) {
                throw new NotSharedException();
            }
        }
    }
}
