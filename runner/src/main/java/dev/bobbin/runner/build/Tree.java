package dev.bobbin.runner.build;

import dev.bobbin.image.TarFile;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Files that something can be copied from. Paths are relative to the root, the root itself being empty, with one
/// character a byte; nothing follows links unless it says so.
interface Tree {
    int MOST_LINKS = 40;

    /// What a file is.
    enum Kind {
        FILE,
        DIRECTORY,
        LINK,
        PIPE,
        DEVICE
    }

    /// One file.
    ///
    /// @param mode permission bits, at most octal 7777
    /// @param target of a link, else empty
    /// @param attributes extended ones that are part of an image; values have one character a byte
    /// @param device what a device file stands for, else `null`
    record Node(
            String path,
            Kind kind,
            int mode,
            int uid,
            int gid,
            long size,
            String target,
            Map<String, String> attributes,
            TarFile.@Nullable Device device) {

        /// What is no device.
        Node(
                String path,
                Kind kind,
                int mode,
                int uid,
                int gid,
                long size,
                String target,
                Map<String, String> attributes) {
            this(path, kind, mode, uid, gid, size, target, attributes, null);
        }

        String name() {
            return path.substring(path.lastIndexOf('/') + 1);
        }

        boolean isDirectory() {
            return kind == Kind.DIRECTORY;
        }
    }

    Optional<Node> find(String path) throws IOException;

    /// Names in a directory, in order.
    List<String> names(String directory) throws IOException;

    InputStream open(Node file) throws IOException;

    /// The digest of a file's content, where that is known without reading it.
    Optional<String> digest(Node file);

    /// The path without links, those of its last part followed only if asked; nothing if a part of it is missing.
    default Optional<String> real(String path, boolean last) throws IOException {
        return Links.real(path, last, this::find);
    }
}
