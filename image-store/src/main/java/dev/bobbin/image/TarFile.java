package dev.bobbin.image;

import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/// A file as a tar archive has it.
///
/// @param name as written, one character a byte
/// @param target of a link, likewise, else empty
/// @param uid -1 if it is none that Linux knows; so is `gid`
/// @param device `null` if it is none
public record TarFile(
        String name,
        String target,
        Kind kind,
        int permissions,
        int uid,
        int gid,
        long modifiedSeconds,
        long size,
        @Nullable Device device) {

    /// What a device file stands for.
    ///
    /// @param type `c` or `b`
    public record Device(char type, int major, int minor) {}

    public enum Kind {
        FILE,
        DIRECTORY,
        SYMBOLIC_LINK,
        HARD_LINK,
        PIPE,
        DEVICE
    }

    /// Takes the files of an archive, in its order.
    public interface Sink {
        /// Takes one.
        ///
        /// @param content of a file, `size` bytes; may be left unread
        void file(TarFile file, InputStream content) throws IOException;
    }
}
