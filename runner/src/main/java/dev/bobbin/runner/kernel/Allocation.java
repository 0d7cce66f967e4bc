package dev.bobbin.runner.kernel;

import com.sun.jna.Native;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.OptionalLong;

/// What a file really takes on the disk, whatever length it says that it has; a link is looked at itself.
public final class Allocation {
    private static final int RELATIVE_TO_WORKING_DIRECTORY = -100;
    private static final int NO_FOLLOW = 0x100;
    private static final int BLOCKS = 0x400;
    /// Of `struct statx`, and where it says what it knows and how many blocks there are.
    private static final int LENGTH = 256;

    private static final int KNOWN_AT = 0;
    private static final int BLOCKS_AT = 48;
    /// In which the kernel counts on every file system.
    private static final long UNIT = 512;

    private Allocation() {}

    /// The C library's function, bound when first used.
    private static final class Library {
        static {
            Native.register(Library.class, "c");
        }

        private Library() {}

        static native int statx(int directory, byte[] path, int flags, int mask, byte[] answer);
    }

    /// Nothing if the file is gone, or its file system does not say.
    public static OptionalLong bytes(Path file) {
        var answer = new byte[LENGTH];
        var path = (RawPath.text(file) + "\0").getBytes(StandardCharsets.ISO_8859_1);
        if (Library.statx(RELATIVE_TO_WORKING_DIRECTORY, path, NO_FOLLOW, BLOCKS, answer) != 0) {
            return OptionalLong.empty();
        }
        var said = ByteBuffer.wrap(answer).order(ByteOrder.nativeOrder());
        return (said.getInt(KNOWN_AT) & BLOCKS) == 0
                ? OptionalLong.empty()
                : OptionalLong.of(said.getLong(BLOCKS_AT) * UNIT);
    }
}
