package dev.bobbin.runner.host;

import dev.bobbin.image.TarFile;
import dev.bobbin.runner.kernel.Handle;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// A directory of this machine that callers may read, open. What is given of it lies in it: symbolic links are given as
/// links, and what is this server's own is left out, as are devices and sockets.
public final class SharedDirectory implements AutoCloseable {
    private static final int DEEPEST = 256;
    private static final int TYPE = 0170000;
    private static final int PERMISSIONS = 07777;
    private static final int DIRECTORY = 0040000;
    private static final int REGULAR = 0100000;
    private static final int LINK = 0120000;
    private static final int PIPE = 0010000;

    private final Handle handle;
    private final Set<Object> ours;

    /// @param handle closed with this
    /// @param ours directories that are left out, by device and inode
    SharedDirectory(Handle handle, Set<Object> ours) {
        this.handle = handle;
        this.ours = Set.copyOf(ours);
    }

    /// Gives everything in it, a directory before what it holds.
    void giveTo(TarFile.Sink sink) throws IOException {
        give(handle, "", DEEPEST, sink);
    }

    private void give(Handle directory, String above, int deeper, TarFile.Sink sink) throws IOException {
        if (deeper == 0) {
            throw new IOException("open " + above + ": lies too deep");
        }
        for (var name : names(directory)) {
            var place = directory.path().resolve(name);
            var path = above + name;
            var mode = (int) Files.getAttribute(place, "unix:mode", LinkOption.NOFOLLOW_LINKS);
            switch (mode & TYPE) {
                case DIRECTORY -> {
                    try (var inner = directory.own(name)) {
                        if (!ours.contains(identity(inner.path()))) {
                            sink.file(file(path, "", TarFile.Kind.DIRECTORY, mode, 0), nothing());
                            give(inner, path + "/", deeper - 1, sink);
                        }
                    }
                }
                case REGULAR -> give(directory, name, path, mode, sink);
                case LINK -> {
                    var target = Files.readSymbolicLink(place).toString();
                    sink.file(file(path, target, TarFile.Kind.SYMBOLIC_LINK, mode, 0), nothing());
                }
                case PIPE -> sink.file(file(path, "", TarFile.Kind.PIPE, mode, 0), nothing());
                default -> {}
            }
        }
    }

    private static void give(Handle directory, String name, String path, int mode, TarFile.Sink sink)
            throws IOException {
        try (var file = directory.own(name)) {
            if (!Files.isRegularFile(file.path())) {
                throw new IOException("open " + path + ": not a regular file any more");
            }
            try (var content = Files.newInputStream(file.path())) {
                sink.file(file(path, "", TarFile.Kind.FILE, mode, Files.size(file.path())), content);
            }
        }
    }

    private static List<String> names(Handle directory) throws IOException {
        var names = new ArrayList<String>();
        try (var files = Files.newDirectoryStream(directory.path())) {
            files.forEach(file -> names.add(String.valueOf(file.getFileName())));
        } catch (java.nio.file.DirectoryIteratorException e) {
            throw e.getCause();
        }
        names.sort(null);
        return names;
    }

    /// A file as a build sees it, whose owner is root whoever owns it here.
    private static TarFile file(String path, String target, TarFile.Kind kind, int mode, long size) {
        return new TarFile(raw(path), raw(target), kind, mode & PERMISSIONS, 0, 0, 0, size, null);
    }

    /// By which a directory is known under any name.
    static Object identity(Path directory) throws IOException {
        Map<String, Object> both = Files.readAttributes(directory, "unix:dev,ino");
        return both;
    }

    private static String raw(String text) {
        return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    }

    private static InputStream nothing() {
        return InputStream.nullInputStream();
    }

    @Override
    public void close() {
        handle.close();
    }
}
