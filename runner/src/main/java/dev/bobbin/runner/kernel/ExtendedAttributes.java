package dev.bobbin.runner.kernel;

import com.sun.jna.Native;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Extended attributes of files, of any name space; links are not followed.
public final class ExtendedAttributes {
    private static final int LONGEST_LIST = 64 * 1024;
    private static final int LONGEST_VALUE = 64 * 1024;
    private static final int NO_SUCH_ATTRIBUTE = 61;
    private static final int NOT_SUPPORTED = 95;

    private ExtendedAttributes() {}

    /// The C library's functions, bound when first used.
    private static final class Library {
        static {
            Native.register(Library.class, "c");
        }

        private Library() {}

        static native long llistxattr(byte[] path, byte[] list, long size);

        static native long lgetxattr(byte[] path, byte[] name, byte[] value, long size);

        static native String strerror(int number);
    }

    /// The names of a file's attributes, in order.
    public static List<String> names(Path file) throws IOException {
        var list = new byte[LONGEST_LIST];
        var length = Library.llistxattr(bytes(file), list, list.length);
        if (length < 0) {
            if (Native.getLastError() == NOT_SUPPORTED) {
                return List.of();
            }
            throw failure("list the attributes of", file);
        }
        var names = new ArrayList<String>();
        var start = 0;
        for (var end = 0; end < length; end++) {
            if (list[end] == 0) {
                names.add(new String(list, start, end - start, StandardCharsets.ISO_8859_1));
                start = end + 1;
            }
        }
        names.sort(null);
        return names;
    }

    /// The value of an attribute, if the file has it.
    public static Optional<byte[]> value(Path file, String name) throws IOException {
        var value = new byte[LONGEST_VALUE];
        var length = Library.lgetxattr(bytes(file), terminated(name), value, value.length);
        if (length >= 0) {
            return Optional.of(Arrays.copyOf(value, (int) length));
        }
        var error = Native.getLastError();
        if (error == NO_SUCH_ATTRIBUTE || error == NOT_SUPPORTED) {
            return Optional.empty();
        }
        throw failure("read the attribute " + name + " of", file);
    }

    private static byte[] terminated(String text) {
        return (text + "\0").getBytes(StandardCharsets.ISO_8859_1);
    }

    /// A path as the kernel has it, whatever this process thinks names are written in.
    private static byte[] bytes(Path file) {
        return terminated(RawPath.text(file));
    }

    private static IOException failure(String tried, Path file) {
        return new IOException(tried + " " + file + ": " + Library.strerror(Native.getLastError()));
    }
}
