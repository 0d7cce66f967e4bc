package dev.bobbin.runner.build;

import dev.bobbin.image.TarFile;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/// Writes the archive of a layer: ustar, with PAX records where something does not fit. Every file has the same time,
/// and nobody's name, so that the same files give the same bytes.
final class LayerTar {
    private static final int BLOCK = 512;
    private static final int LONGEST_NAME = 100;
    private static final long LARGEST_SIZE = 0777_7777_7777L;
    private static final int LARGEST_ID = 07_777_777;
    private static final int CHUNK = 64 * 1024;
    /// In which file systems give room, and what they note of each file.
    private static final int DISK_BLOCK = 4096;
    private static final int DISK_INODE = 256;

    private final OutputStream out;
    private final long seconds;
    private final byte[] chunk = new byte[CHUNK];
    private long unpackedBytes;

    LayerTar(OutputStream out, Instant time) {
        this.out = out;
        this.seconds = time.getEpochSecond();
    }

    /// A file of any kind; `content` gives a plain file's bytes.
    void add(Tree.Node node, InputStream content) throws IOException {
        var type = switch (node.kind()) {
            case FILE -> '0';
            case DIRECTORY -> '5';
            case LINK -> '2';
            case PIPE -> '6';
            case DEVICE -> device(node).type() == 'b' ? '4' : '3';
        };
        var name = node.isDirectory() ? node.path() + "/" : node.path();
        header(name, node, type, node.target(), node.size());
        var blocks = node.isDirectory() ? 1 : (node.size() + DISK_BLOCK - 1) / DISK_BLOCK;
        unpackedBytes += DISK_INODE + blocks * DISK_BLOCK;
        if (node.kind() == Tree.Kind.FILE) {
            copy(content, node);
        }
    }

    private static TarFile.Device device(Tree.Node node) {
        return Objects.requireNonNull(node.device());
    }

    /// One more name of a file that was added before.
    void addHardLink(Tree.Node node, String first) throws IOException {
        header(node.path(), node, '1', first, 0);
    }

    /// What is below at this path is gone.
    void addWhiteout(String path) throws IOException {
        addEmpty(Names.join(Names.parent(path), ".wh." + Names.last(path)));
    }

    /// What is below in this directory is gone.
    void addOpaque(String directory) throws IOException {
        addEmpty(Names.join(directory, ".wh..wh..opq"));
    }

    private void addEmpty(String path) throws IOException {
        header(path, new Tree.Node(path, Tree.Kind.FILE, 0, 0, 0, 0, "", Map.of()), '0', "", 0);
    }

    private void copy(InputStream content, Tree.Node node) throws IOException {
        var left = node.size();
        while (left > 0) {
            var read = content.read(chunk, 0, (int) Math.min(left, CHUNK));
            if (read < 0) {
                throw new EOFException("/" + Names.shown(node.path()) + " is shorter than it was");
            }
            out.write(chunk, 0, read);
            left -= read;
        }
        pad(node.size());
    }

    private void pad(long size) throws IOException {
        out.write(new byte[(int) (-size & (BLOCK - 1))]);
    }

    private void header(String name, Tree.Node node, char type, String target, long size) throws IOException {
        var records = new TreeMap<String, String>();
        if (name.length() > LONGEST_NAME || !isAscii(name)) {
            records.put("path", name);
        }
        if (target.length() > LONGEST_NAME || !isAscii(target)) {
            records.put("linkpath", target);
        }
        if (size > LARGEST_SIZE) {
            records.put("size", Long.toString(size));
        }
        if (node.uid() > LARGEST_ID || node.uid() < 0) {
            records.put("uid", Integer.toUnsignedString(node.uid()));
        }
        if (node.gid() > LARGEST_ID || node.gid() < 0) {
            records.put("gid", Integer.toUnsignedString(node.gid()));
        }
        if (type != '1') {
            node.attributes().forEach((key, value) -> records.put("SCHILY.xattr." + key, value));
        }
        if (!records.isEmpty()) {
            writeRecords(records);
        }
        write(name, node, type, target, size);
    }

    private static boolean isAscii(String text) {
        return text.chars().allMatch(each -> each < 0x80);
    }

    private void writeRecords(Map<String, String> records) throws IOException {
        var text = new StringBuilder();
        records.forEach((key, value) -> text.append(record(key + "=" + value + "\n")));
        var bytes = text.toString().getBytes(StandardCharsets.ISO_8859_1);
        var node = new Tree.Node("PaxHeader", Tree.Kind.FILE, 0644, 0, 0, bytes.length, "", Map.of());
        write("PaxHeader", node, 'x', "", bytes.length);
        out.write(bytes);
        pad(bytes.length);
    }

    /// A record begins with its own length.
    private static String record(String rest) {
        var length = rest.length() + 2;
        while (Integer.toString(length).length() + 1 + rest.length() != length) {
            length = Integer.toString(length).length() + 1 + rest.length();
        }
        return length + " " + rest;
    }

    private void write(String name, Tree.Node node, char type, String target, long size) throws IOException {
        var block = new byte[BLOCK];
        text(block, 0, LONGEST_NAME, name);
        octal(block, 100, 8, node.mode());
        octal(block, 108, 8, node.uid() < 0 || node.uid() > LARGEST_ID ? 0 : node.uid());
        octal(block, 116, 8, node.gid() < 0 || node.gid() > LARGEST_ID ? 0 : node.gid());
        octal(block, 124, 12, size > LARGEST_SIZE ? 0 : size);
        octal(block, 136, 12, seconds);
        block[156] = (byte) type;
        text(block, 157, LONGEST_NAME, target);
        text(block, 257, 8, "ustar\00000");
        var device = node.device();
        octal(block, 329, 8, device == null ? 0 : device.major());
        octal(block, 337, 8, device == null ? 0 : device.minor());
        java.util.Arrays.fill(block, 148, 156, (byte) ' ');
        var sum = 0;
        for (var each : block) {
            sum += each & 0xff;
        }
        octal(block, 148, 7, sum);
        out.write(block);
    }

    private static void text(byte[] block, int at, int room, String text) {
        var bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        System.arraycopy(bytes, 0, block, at, Math.min(room, bytes.length));
    }

    private static void octal(byte[] block, int at, int room, long value) {
        var digits = Long.toOctalString(value);
        var start = at + room - 1 - digits.length();
        java.util.Arrays.fill(block, at, start, (byte) '0');
        text(block, start, digits.length(), digits);
        block[at + room - 1] = 0;
    }

    /// What the files take on a disk, about.
    long unpackedBytes() {
        return unpackedBytes;
    }

    /// Ends the archive.
    void finish() throws IOException {
        out.write(new byte[2 * BLOCK]);
        out.flush();
    }
}
