package dev.bobbin.runner.build;

import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.TarFile;
import dev.bobbin.image.store.TarFiles;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;

/// The files that came with a request to build. Their contents lie one behind the other in one file on the disk, which
/// goes when this is closed; only names are held. So no name of a stranger ever becomes one of this machine.
public final class BuildContext implements Tree, AutoCloseable {
    private static final int MOST_FILES = 1_000_000;
    private static final long LONGEST_TEXT = 4 << 20;
    private static final int LONGEST_PATH = 4_000;
    private static final int DEEPEST_PATH = 256;
    /// Of all paths and targets of links together, which are held in memory.
    private static final long MOST_NAME_BYTES = 128 << 20;

    private final FileChannel contents;
    private final NavigableMap<String, Entry> entries;
    private final AtomicReference<Runnable> released = new AtomicReference<>(() -> {});

    /// @param at where its content begins
    private record Entry(Node node, long at, String digest) {}

    private BuildContext(FileChannel contents, NavigableMap<String, Entry> entries) {
        this.contents = contents;
        this.entries = entries;
    }

    /// Reads a tar archive, plain or compressed, to its end.
    ///
    /// @param directory in which its content is kept
    /// @param mostBytes of all files together
    /// @throws BuildException CONTEXT if it holds what cannot be, or is larger
    public static BuildContext read(InputStream tar, Path directory, long mostBytes) throws IOException {
        return of(sink -> TarFiles.read(tar, sink), directory, mostBytes);
    }

    /// Reads an archive that a recipe unpacks, which may be of a whole system and then has devices.
    static BuildContext unpack(InputStream tar, Path directory, long mostBytes) throws IOException {
        return of(sink -> TarFiles.read(tar, sink), directory, mostBytes, Devices.KEPT);
    }

    /// Where files come from.
    @FunctionalInterface
    public interface Origin {
        void giveTo(TarFile.Sink sink) throws IOException;
    }

    /// Takes what is given, as that of an archive.
    static BuildContext of(Origin origin, Path directory, long mostBytes) throws IOException {
        return of(origin, directory, mostBytes, Devices.REFUSED);
    }

    private static BuildContext of(Origin origin, Path directory, long mostBytes, Devices devices) throws IOException {
        var contents = spool(directory);
        try {
            var reader = new Reader(contents, mostBytes, devices);
            origin.giveTo(reader);
            return new BuildContext(contents, reader.entries);
        } catch (ImageException e) {
            contents.close();
            throw problem("the context is no archive that can be read: " + e.getMessage());
        } catch (IOException | RuntimeException e) {
            contents.close();
            throw e;
        }
    }

    private enum Devices {
        REFUSED,
        KEPT
    }

    private static FileChannel spool(Path directory) throws IOException {
        return FileChannel.open(
                Files.createTempFile(directory, "context", ""),
                StandardOpenOption.READ,
                StandardOpenOption.WRITE,
                StandardOpenOption.DELETE_ON_CLOSE);
    }

    private static NavigableMap<String, Entry> rooted() {
        var entries = new TreeMap<String, Entry>();
        entries.put("", directory(""));
        return entries;
    }

    private static Entry directory(String path) {
        return new Entry(new Node(path, Kind.DIRECTORY, 0755, 0, 0, 0, "", Map.of()), 0, "");
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
        return entries.tailMap(prefix, directory.isEmpty() ? false : true).keySet().stream()
                .takeWhile(path -> path.startsWith(prefix))
                .filter(path -> path.indexOf('/', prefix.length()) < 0)
                .map(Names::last)
                .toList();
    }

    @Override
    public InputStream open(Node file) throws IOException {
        var entry = java.util.Objects.requireNonNull(entries.get(file.path()));
        return new Part(entry.at, file.size());
    }

    @Override
    public Optional<String> digest(Node file) {
        return Optional.ofNullable(entries.get(file.path())).map(Entry::digest);
    }

    /// What its contents take.
    long bytes() throws IOException {
        return contents.size();
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

    /// The content of one file; many may be read at once.
    private final class Part extends InputStream {
        private long at;
        private long left;

        Part(long at, long left) {
            this.at = at;
            this.left = left;
        }

        @Override
        public int read() throws IOException {
            var one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int from, int length) throws IOException {
            if (left == 0) {
                return -1;
            }
            var into = java.nio.ByteBuffer.wrap(buffer, from, (int) Math.min(length, left));
            var read = contents.read(into, at);
            at += Math.max(0, read);
            left -= Math.max(0, read);
            return read;
        }
    }

    /// Takes the files of an archive.
    private static final class Reader implements TarFile.Sink {
        private final NavigableMap<String, Entry> entries = rooted();
        private final FileChannel contents;
        private final OutputStream out;
        private final long mostBytes;
        private final Devices devices;
        private long at;
        /// Of further names, each of which becomes a file of its own.
        private long linkedBytes;
        private long nameBytes;

        Reader(FileChannel contents, long mostBytes, Devices devices) {
            this.contents = contents;
            this.devices = devices;
            this.out = Channels.newOutputStream(contents);
            this.mostBytes = mostBytes;
        }

        @Override
        public void file(TarFile file, InputStream content) throws IOException {
            var path = path(file.name());
            if (path.isEmpty()) {
                return;
            }
            if (file.target().length() > LONGEST_PATH) {
                throw problem("the context has a link to more than " + LONGEST_PATH + " bytes");
            }
            switch (file.kind()) {
                case FILE -> put(path, keep(path, file, content));
                case DIRECTORY -> {
                    var before = entries.get(path);
                    put(path, entry(path, Kind.DIRECTORY, file, 0, "", 0, ""));
                    if (before != null && !before.node.isDirectory()) {
                        throw problem("the context has " + Names.shown(path) + " as a directory and as a file");
                    }
                }
                case SYMBOLIC_LINK -> put(path, entry(path, Kind.LINK, file, 0, file.target(), 0, ""));
                case HARD_LINK -> link(path, file);
                case PIPE -> put(path, entry(path, Kind.PIPE, file, 0, "", 0, ""));
                case DEVICE -> {
                    if (devices == Devices.REFUSED) {
                        throw problem("the context has a device: " + Names.shown(path));
                    }
                    put(path, entry(path, Kind.DEVICE, file, 0, "", 0, ""));
                }
            }
        }

        private static String path(String name) {
            if (name.length() > LONGEST_PATH || Links.parts(name).size() > DEEPEST_PATH) {
                throw problem("the context has a path of more than " + LONGEST_PATH + " bytes or " + DEEPEST_PATH
                        + " directories: " + Names.shown(name.substring(0, Math.min(60, name.length()))));
            }
            if (Links.parts(name).contains("..")) {
                throw problem("the context has a name that climbs out of it: " + Names.shown(name));
            }
            return Names.plain(name);
        }

        private void link(String path, TarFile file) {
            var target = entries.get(path(file.target()));
            if (target == null || target.node.isDirectory()) {
                throw problem("the context has a hard link to no file: " + Names.shown(path));
            }
            var node = target.node;
            linkedBytes += node.size();
            requireRoom(0);
            put(
                    path,
                    new Entry(
                            new Node(
                                    path,
                                    node.kind(),
                                    node.mode(),
                                    node.uid(),
                                    node.gid(),
                                    node.size(),
                                    node.target(),
                                    Map.of(),
                                    node.device()),
                            target.at,
                            target.digest));
        }

        private Entry keep(String path, TarFile file, InputStream content) throws IOException {
            requireRoom(file.size());
            var start = at;
            var hasher = Digest.hasher("sha256");
            var buffer = new byte[64 * 1024];
            contents.position(at);
            for (var read = content.read(buffer); read >= 0; read = content.read(buffer)) {
                requireRoom(read);
                hasher.update(buffer, 0, read);
                out.write(buffer, 0, read);
                at += read;
            }
            return entry(
                    path,
                    Kind.FILE,
                    file,
                    at - start,
                    "",
                    start,
                    Digest.of("sha256", hasher).hex());
        }

        private void requireRoom(long more) {
            if (more > mostBytes - at - linkedBytes) {
                throw new BuildException(
                        BuildException.Problem.TOO_LARGE, 0, "the context has more than " + mostBytes + " bytes");
            }
        }

        private static Entry entry(
                String path, Kind kind, TarFile file, long size, String target, long at, String digest) {
            var mode = kind == Kind.LINK ? 0777 : file.permissions() & 07777;
            var uid = Math.max(0, file.uid());
            var gid = Math.max(0, file.gid());
            var node = new Node(path, kind, mode, uid, gid, size, target, Map.of(), file.device());
            return new Entry(node, at, digest);
        }

        private void put(String path, Entry entry) {
            for (var above = Names.parent(path); !above.isEmpty(); above = Names.parent(above)) {
                var there = entries.get(above);
                if (there == null) {
                    count(above);
                    entries.put(above, directory(above));
                } else if (!there.node.isDirectory()) {
                    throw problem("the context has something below " + Names.shown(above) + ", which is no directory");
                } else {
                    break;
                }
            }
            count(path + entry.node.target());
            entries.put(path, entry);
        }

        private void count(String name) {
            nameBytes += name.length();
            if (entries.size() >= MOST_FILES || nameBytes > MOST_NAME_BYTES) {
                throw problem("the context has more than " + MOST_FILES + " files, or more than " + MOST_NAME_BYTES
                        + " bytes of names");
            }
        }
    }
}
