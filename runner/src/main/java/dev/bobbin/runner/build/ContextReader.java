package dev.bobbin.runner.build;

import dev.bobbin.image.Digest;
import dev.bobbin.image.TarFile;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.LongConsumer;

/// Takes the files of a context as they come, and refuses what none may have.
final class ContextReader implements TarFile.Sink {
    private static final int MOST_FILES = 250_000;
    private static final int LONGEST_PATH = 4_000;
    private static final int DEEPEST_PATH = 256;
    /// Of all paths and targets of links together, which are held in memory.
    private static final long MOST_NAME_BYTES = 32 << 20;
    /// Of the heap that an entry takes besides its name and the target of its link.
    private static final int ENTRY_BYTES = 512;

    private final NavigableMap<String, BuildContext.Entry> entries = rooted();
    private final Spool contents;
    private final long mostBytes;
    private final Devices devices;
    private final LongConsumer memory;
    private final byte[] buffer = new byte[64 << 10];
    /// Of further names, each of which becomes a file of its own.
    private long linkedBytes;
    private long nameBytes;

    /// @param memory told what each entry takes of the heap, before it is kept
    ContextReader(Spool contents, long mostBytes, Devices devices, LongConsumer memory) {
        this.contents = contents;
        this.memory = memory;
        this.devices = devices;
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
                put(path, entry(path, Tree.Kind.DIRECTORY, file, 0, "", 0, ""));
                if (before != null && !before.node().isDirectory()) {
                    throw problem("the context has " + Names.shown(path) + " as a directory and as a file");
                }
            }
            case SYMBOLIC_LINK -> put(path, entry(path, Tree.Kind.LINK, file, 0, file.target(), 0, ""));
            case HARD_LINK -> link(path, file);
            case PIPE -> put(path, entry(path, Tree.Kind.PIPE, file, 0, "", 0, ""));
            case DEVICE -> {
                if (devices == Devices.REFUSED) {
                    throw problem("the context has a device: " + Names.shown(path));
                }
                put(path, entry(path, Tree.Kind.DEVICE, file, 0, "", 0, ""));
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
        if (target == null || target.node().isDirectory()) {
            throw problem("the context has a hard link to no file: " + Names.shown(path));
        }
        var node = target.node();
        linkedBytes += node.size();
        requireRoom(0);
        put(
                path,
                new BuildContext.Entry(
                        new Tree.Node(
                                path,
                                node.kind(),
                                node.mode(),
                                node.uid(),
                                node.gid(),
                                node.size(),
                                node.target(),
                                Map.of(),
                                node.device()),
                        target.at(),
                        target.digest()));
    }

    private BuildContext.Entry keep(String path, TarFile file, InputStream content) throws IOException {
        requireRoom(file.size());
        var start = contents.bytes();
        var hasher = Digest.hasher("sha256");
        for (var read = content.read(buffer); read >= 0; read = content.read(buffer)) {
            requireRoom(read);
            hasher.update(buffer, 0, read);
            contents.write(buffer, 0, read);
        }
        return entry(
                path,
                Tree.Kind.FILE,
                file,
                contents.bytes() - start,
                "",
                start,
                Digest.of("sha256", hasher).hex());
    }

    private void requireRoom(long more) {
        if (more > mostBytes - contents.bytes() - linkedBytes) {
            throw new BuildException(
                    BuildException.Problem.TOO_LARGE, 0, "the context has more than " + mostBytes + " bytes");
        }
    }

    private static BuildContext.Entry entry(
            String path, Tree.Kind kind, TarFile file, long size, String target, long at, String digest) {
        var mode = kind == Tree.Kind.LINK ? 0777 : file.permissions() & 07777;
        var uid = Math.max(0, file.uid());
        var gid = Math.max(0, file.gid());
        var node = new Tree.Node(path, kind, mode, uid, gid, size, target, Map.of(), file.device());
        return new BuildContext.Entry(node, at, digest);
    }

    private void put(String path, BuildContext.Entry entry) {
        for (var above = Names.parent(path); !above.isEmpty(); above = Names.parent(above)) {
            var there = entries.get(above);
            if (there == null) {
                count(above);
                entries.put(above, directory(above));
            } else if (!there.node().isDirectory()) {
                throw problem("the context has something below " + Names.shown(above) + ", which is no directory");
            } else {
                break;
            }
        }
        count(path + entry.node().target());
        entries.put(path, entry);
    }

    private void count(String name) {
        nameBytes += name.length();
        if (entries.size() >= MOST_FILES || nameBytes > MOST_NAME_BYTES) {
            throw problem("the context has more than " + MOST_FILES + " files, or more than " + MOST_NAME_BYTES
                    + " bytes of names");
        }
        memory.accept(ENTRY_BYTES + name.length());
    }

    private static BuildException problem(String message) {
        return new BuildException(BuildException.Problem.CONTEXT, 0, message);
    }

    private static NavigableMap<String, BuildContext.Entry> rooted() {
        var entries = new TreeMap<String, BuildContext.Entry>();
        entries.put("", directory(""));
        return entries;
    }

    private static BuildContext.Entry directory(String path) {
        return new BuildContext.Entry(new Tree.Node(path, Tree.Kind.DIRECTORY, 0755, 0, 0, 0, "", Map.of()), 0, "");
    }

    /// What was read, the root included.
    NavigableMap<String, BuildContext.Entry> entries() {
        return entries;
    }

    /// Whether there may be device files.
    enum Devices {
        REFUSED,
        KEPT
    }
}
