package dev.bobbin.image.archive;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Writes regular files into a tar archive, without times or owners.
final class TarWriter {
    private static final int LONGEST_NAME = 100;
    private static final long LARGEST = 0_77777777777L;

    private final OutputStream out;

    TarWriter(OutputStream out) {
        this.out = out;
    }

    void file(String name, byte[] content) throws IOException {
        header(name, content.length);
        out.write(content);
        pad(content.length);
    }

    /// @throws IOException if `content` has not `size` bytes
    void file(String name, long size, InputStream content) throws IOException {
        header(name, size);
        var copied = content.transferTo(out);
        if (copied != size) {
            throw new IOException(name + " has " + copied + " bytes instead of " + size);
        }
        pad(size);
    }

    /// Ends the archive.
    void finish() throws IOException {
        out.write(new byte[2 * TarHeader.BLOCK]);
        out.flush();
    }

    private void header(String name, long size) throws IOException {
        if (name.length() > LONGEST_NAME || size > LARGEST) {
            var records = (record("path", name) + record("size", Long.toString(size))).getBytes(StandardCharsets.UTF_8);
            out.write(block('x', "PaxHeaders/" + name.hashCode(), records.length));
            out.write(records);
            pad(records.length);
        }
        var shortened = name.substring(0, Math.min(name.length(), LONGEST_NAME));
        out.write(block('0', shortened, Math.min(size, LARGEST)));
    }

    private static String record(String key, String value) {
        var rest = " " + key + "=" + value + "\n";
        var length = rest.length() + 1;
        while (String.valueOf(length).length() + rest.length() != length) {
            length = String.valueOf(length).length() + rest.length();
        }
        return length + rest;
    }

    private static byte[] block(char type, String name, long size) {
        var block = new byte[TarHeader.BLOCK];
        put(block, 0, name);
        put(block, 100, "0000644");
        put(block, 108, "0000000");
        put(block, 116, "0000000");
        put(block, 124, "%011o".formatted(size));
        put(block, 136, "00000000000");
        Arrays.fill(block, 148, 156, (byte) ' ');
        block[156] = (byte) type;
        put(block, 257, "ustar\00000");
        var sum = 0;
        for (var value : block) {
            sum += value & 0xff;
        }
        put(block, 148, "%06o\0".formatted(sum));
        return block;
    }

    private static void put(byte[] block, int at, String text) {
        var bytes = text.getBytes(StandardCharsets.UTF_8);
        System.arraycopy(bytes, 0, block, at, bytes.length);
    }

    private void pad(long size) throws IOException {
        out.write(new byte[(int) (-size & (TarHeader.BLOCK - 1))]);
    }
}
