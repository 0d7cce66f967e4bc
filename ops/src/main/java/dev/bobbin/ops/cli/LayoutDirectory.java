package dev.bobbin.ops.cli;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.apache.commons.compress.archivers.zip.ZipEncodingHelper;

/// An OCI image layout in a directory: what `oci:DIR` is to skopeo, and `oci-dir` to podman. The server takes and gives
/// it as a tar archive.
///
/* The directory and the archive may both be a stranger's. So only plain files are read and written, only by the names
 * that a layout has, and no link is followed. */
final class LayoutDirectory {
    private static final String INDEX = "index.json";
    private static final String MARK = "oci-layout";
    private static final Pattern CONTENT = Pattern.compile("blobs/(sha256/[0-9a-f]{64}|sha512/[0-9a-f]{128})");

    private LayoutDirectory() {}

    /// A directory that cannot be taken; the message says why.
    static final class UnusableException extends IOException {
        UnusableException(String reason) {
            super(reason);
        }
    }

    /// The layout as an archive, whose files are opened as it is read.
    static InputStream archive(Path directory) throws IOException {
        var names = names(directory);
        for (var name : names) {
            if (!isPlain(directory.resolve(name))) {
                throw new UnusableException(directory.resolve(name) + " is not a plain file.");
            }
        }
        return new Archive(directory, names);
    }

    /// Writes an archive of a layout, which is read to its end, into an empty directory.
    static void write(InputStream archive, Path directory) throws IOException {
        var tar = new TarArchiveInputStream(archive);
        for (var entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
            var name = entry.getName();
            if (entry.getLinkFlag() != TarConstants.LF_NORMAL || !belongs(name)) {
                throw new IOException("the archive has something that belongs to no image layout: " + name);
            }
            var file = directory.resolve(name);
            Files.createDirectories(file.getParent());
            Files.copy(tar, file);
        }
        archive.transferTo(OutputStream.nullOutputStream());
        if (!isPlain(directory.resolve(MARK)) || !isPlain(directory.resolve(INDEX))) {
            throw new IOException("the archive is no whole image layout");
        }
    }

    private static boolean belongs(String name) {
        return name.equals(MARK) || name.equals(INDEX) || CONTENT.matcher(name).matches();
    }

    private static List<String> names(Path directory) throws IOException {
        if (!Files.exists(directory.resolve(INDEX), LinkOption.NOFOLLOW_LINKS)) {
            throw new UnusableException(directory + " is no OCI image layout: it has no " + INDEX + ".");
        }
        var names = new java.util.ArrayList<>(List.of(MARK, INDEX));
        for (var algorithm : List.of("blobs/sha256", "blobs/sha512")) {
            if (isDirectory(directory.resolve("blobs")) && isDirectory(directory.resolve(algorithm))) {
                try (Stream<Path> files = Files.list(directory.resolve(algorithm))) {
                    files.map(file -> algorithm + "/" + file.getFileName())
                            .filter(LayoutDirectory::belongs)
                            .sorted()
                            .forEach(names::add);
                }
            }
        }
        return names;
    }

    private static boolean isPlain(Path file) {
        return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS);
    }

    private static boolean isDirectory(Path file) {
        return Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS);
    }

    /// One file after the other, each behind its header and filled up to whole blocks.
    private static final class Archive extends InputStream {
        private static final int BLOCK = TarConstants.DEFAULT_RCDSIZE;

        private final Path directory;
        private final Iterator<String> names;
        private InputStream part = InputStream.nullInputStream();
        private boolean ended;

        Archive(Path directory, List<String> names) {
            this.directory = directory;
            this.names = names.iterator();
        }

        @Override
        public int read() throws IOException {
            var one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int from, int length) throws IOException {
            var count = part.read(buffer, from, length);
            while (count < 0 && !ended) {
                part.close();
                ended = !names.hasNext();
                part = ended ? new ByteArrayInputStream(new byte[2 * BLOCK]) : entry(names.next());
                count = part.read(buffer, from, length);
            }
            return count;
        }

        private InputStream entry(String name) throws IOException {
            var file = directory.resolve(name);
            var size = Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                    .size();
            var entry = new TarArchiveEntry(name);
            entry.setSize(size);
            var header = new byte[BLOCK];
            entry.writeEntryHeader(header, ZipEncodingHelper.getZipEncoding("UTF-8"), true);
            var fill = new byte[(int) (-size & (BLOCK - 1))];
            return new SequenceInputStream(Collections.enumeration(List.of(
                    new ByteArrayInputStream(header),
                    new Exactly(Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS), size),
                    new ByteArrayInputStream(fill))));
        }

        @Override
        public void close() throws IOException {
            part.close();
        }
    }

    /// As many bytes as the header has promised, whatever becomes of the file meanwhile.
    private static final class Exactly extends FilterInputStream {
        private long left;

        Exactly(InputStream in, long left) {
            super(in);
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
            var count = in.read(buffer, from, (int) Math.min(length, left));
            if (count < 0) {
                throw new EOFException("a file became shorter while it was read");
            }
            left -= count;
            return count;
        }
    }
}
