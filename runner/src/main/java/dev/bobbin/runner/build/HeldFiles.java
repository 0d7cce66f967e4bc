package dev.bobbin.runner.build;

import java.util.Collection;

/// Counts files of which a block holds names in memory, and ends it when there are too many.
final class HeldFiles {
    private static final int MOST = 1_000_000;
    /// Of all that is held besides content: names, targets of links, attributes.
    private static final long MOST_BYTES = 128 << 20;
    /// What a file takes of an archive, and so of the disk, whatever it holds.
    private static final int LEAST_BYTES = 512;

    private final long diskBytes;
    private final int line;
    private long files;
    private long bytes;

    /// @param diskBytes that the files may take
    /// @param line of the recipe, that messages name
    HeldFiles(long diskBytes, int line) {
        this.diskBytes = diskBytes;
        this.line = line;
    }

    /// One more, of whose name so many bytes are held.
    void add(long more) {
        files++;
        bytes += more;
        if (files > diskBytes / LEAST_BYTES) {
            throw BoundedOutput.full(diskBytes, line);
        }
        if (files > MOST || bytes > MOST_BYTES) {
            throw new BuildException(
                    BuildException.Problem.STEP,
                    line,
                    "it has more than " + MOST + " files at once, or more than " + MOST_BYTES + " bytes of names");
        }
    }

    /// One more, with all that is known of it.
    void add(Tree.Node node) {
        add(bytes(node));
    }

    private static long bytes(Tree.Node node) {
        var bytes = (long) node.path().length() + node.target().length();
        for (var attribute : node.attributes().entrySet()) {
            bytes += attribute.getKey().length() + attribute.getValue().length();
        }
        return bytes;
    }

    /// One that was added, and is held no more.
    void forget(Tree.Node node) {
        files--;
        bytes -= bytes(node);
    }

    /// Names that were added each with its length, and are held no more.
    void forget(Collection<String> names) {
        files -= names.size();
        names.forEach(name -> bytes -= name.length());
    }
}
