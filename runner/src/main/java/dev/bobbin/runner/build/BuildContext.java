package dev.bobbin.runner.build;

import dev.bobbin.image.ImageException;
import dev.bobbin.image.TarFile;
import dev.bobbin.image.store.TarFiles;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongConsumer;

/// The files that came with a request to build. Their contents lie one behind the other in a [Spool], which goes when
/// this is closed; names are held. So no name of a stranger ever becomes one of this machine.
public final class BuildContext implements Tree, AutoCloseable {
    private static final long LONGEST_TEXT = 4 << 20;

    private final Spool contents;
    private final NavigableMap<String, Entry> entries;
    private final AtomicReference<Runnable> released = new AtomicReference<>(() -> {});

    /// @param at where its content begins
    record Entry(Node node, long at, String digest) {}

    private BuildContext(Spool contents, NavigableMap<String, Entry> entries) {
        this.contents = contents;
        this.entries = entries;
    }

    /// Reads an archive that a recipe unpacks, which may be of a whole system and then has devices.
    static BuildContext unpack(InputStream tar, Path directory, long mostBytes) throws IOException {
        return of(sink -> TarFiles.read(tar, sink), directory, mostBytes, ContextReader.Devices.KEPT, _ -> {});
    }

    /// Where files come from.
    @FunctionalInterface
    public interface Origin {
        void giveTo(TarFile.Sink sink) throws IOException;
    }

    /// Takes what is given, as that of an archive.
    ///
    /// @param directory in which its content is kept
    /// @param mostBytes of all files together
    /// @param memory told what each entry takes of the heap, before it is kept
    /// @throws BuildException CONTEXT if it holds what cannot be, TOO_LARGE if it is larger
    static BuildContext of(Origin origin, Path directory, long mostBytes, LongConsumer memory) throws IOException {
        return of(origin, directory, mostBytes, ContextReader.Devices.REFUSED, memory);
    }

    private static BuildContext of(
            Origin origin, Path directory, long mostBytes, ContextReader.Devices devices, LongConsumer memory)
            throws IOException {
        var contents = new Spool(directory);
        try {
            var reader = new ContextReader(contents, mostBytes, devices, memory);
            origin.giveTo(reader);
            return new BuildContext(contents, reader.entries());
        } catch (ImageException e) {
            contents.close();
            throw problem("the context is no archive that can be read: " + e.getMessage());
        } catch (IOException | RuntimeException e) {
            contents.close();
            throw e;
        }
    }

    private static BuildException problem(String message) {
        return new BuildException(BuildException.Problem.CONTEXT, 0, message);
    }

    /// The same without what a filter does not keep.
    BuildContext without(RecipeLanguage.ContextFilter filter) {
        var kept = new TreeMap<String, Entry>();
        entries.forEach((path, entry) -> {
            if (path.isEmpty() || filter.keeps(Names.shown(path), entry.node.isDirectory())) {
                kept.put(path, entry);
            }
        });
        for (var path : List.copyOf(kept.keySet())) {
            for (var above = Names.parent(path); !above.isEmpty(); above = Names.parent(above)) {
                kept.putIfAbsent(above, java.util.Objects.requireNonNull(entries.get(above)));
            }
        }
        return new BuildContext(contents, kept);
    }

    /// The text of a file, if it is there and not too long for one that is read by people.
    public Optional<String> text(String path) {
        try {
            var found = real(Names.plain(Names.raw(path)), true).flatMap(this::at);
            if (found.isEmpty()
                    || found.get().kind() != Kind.FILE
                    || found.get().size() > LONGEST_TEXT) {
                return Optional.empty();
            }
            try (var in = open(found.get())) {
                return Optional.of(new String(in.readAllBytes(), StandardCharsets.UTF_8));
            }
        } catch (IOException _) {
            return Optional.empty();
        }
    }

    @Override
    public Optional<Node> find(String path) {
        return at(path);
    }

    private Optional<Node> at(String path) {
        return Optional.ofNullable(entries.get(path)).map(Entry::node);
    }

    @Override
    public List<String> names(String directory) {
        var prefix = directory.isEmpty() ? "" : directory + "/";
        var names = new ArrayList<String>();
        for (var path = entries.higherKey(prefix); path != null && path.startsWith(prefix); ) {
            var slash = path.indexOf('/', prefix.length());
            if (slash < 0) {
                names.add(path.substring(prefix.length()));
                path = entries.higherKey(path);
            } else { // what is below a child is passed over at once: '0' comes after '/'
                path = entries.ceilingKey(path.substring(0, slash) + "0");
            }
        }
        return names;
    }

    @Override
    public InputStream open(Node file) throws IOException {
        var entry = java.util.Objects.requireNonNull(entries.get(file.path()));
        return contents.open(entry.at, file.size());
    }

    @Override
    public Optional<String> digest(Node file) {
        return Optional.ofNullable(entries.get(file.path())).map(Entry::digest);
    }

    /// Counts everything that is in it.
    void countIn(HeldFiles held) {
        entries.values().forEach(entry -> held.add(entry.node));
    }

    /// What its contents take.
    long bytes() {
        return contents.bytes();
    }

    /// Runs `release` once, when this is closed.
    public BuildContext releasing(Runnable release) {
        released.set(release);
        return this;
    }

    @Override
    public void close() throws IOException {
        try {
            contents.close();
        } finally {
            released.getAndSet(() -> {}).run();
        }
    }
}
