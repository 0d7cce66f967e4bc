package dev.bobbin.image.archive;

import java.util.List;

/// A directory of a layer that is being unpacked, open while it is worked in. Its time is set when it is closed, since
/// every file made in it would change it again. Owned by its [Tree].
final class Directory {
    /// The descriptor of a directory that only parents have so far.
    static final int NOT_HERE = -1;

    private static final String OPAQUE = "trusted.overlay.opaque";

    private final String path;
    private final int descriptor;
    private List<Integer> lowers;
    private Status.Time modified;
    private boolean touched;

    /// @param path beneath the root, free of links
    /// @param lowers roots of the parents that can be seen through this directory, topmost first
    Directory(String path, int descriptor, List<Integer> lowers, Status.Time modified) {
        this.path = path;
        this.descriptor = descriptor;
        this.lowers = lowers;
        this.modified = modified;
    }

    static boolean isOpaque(int descriptor) {
        return Kernel.hasAttribute(descriptor, OPAQUE, 'y');
    }

    String path() {
        return path;
    }

    String path(String name) {
        return Names.child(path, name);
    }

    int descriptor() {
        return descriptor;
    }

    boolean isHere() {
        return descriptor != NOT_HERE;
    }

    List<Integer> lowers() {
        return lowers;
    }

    /// Hides what parents have in it.
    void makeOpaque() throws KernelException {
        Kernel.setAttribute(descriptor, OPAQUE, new byte[] {'y'});
        lowers = List.of();
    }

    /// Takes note that a file in it was made or removed.
    void touch() {
        touched = true;
    }

    void setModified(Status.Time time) {
        modified = time;
        touched = true;
    }

    void close() throws KernelException {
        if (!isHere()) {
            return;
        }
        try {
            if (touched) {
                Kernel.setModified(descriptor, modified);
            }
        } finally {
            Kernel.close(descriptor);
        }
    }

    /// Closes the handle of a directory that is removed.
    void abandon() {
        Kernel.close(descriptor);
    }
}
