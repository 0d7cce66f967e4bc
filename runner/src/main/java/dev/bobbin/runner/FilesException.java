package dev.bobbin.runner;

import java.io.IOException;

/// Work on a sandbox's files that could not be done. The message is one sentence for a person; a file that was to be
/// written is what it was before.
public final class FilesException extends IOException {
    private static final long serialVersionUID = 1;

    private final Reason reason;

    public enum Reason {
        NOT_FOUND,
        EXISTS,
        NOT_A_DIRECTORY,
        IS_A_DIRECTORY,
        NOT_EMPTY,
        /// The path or the archive makes no sense.
        INVALID,
        /// Not even the sandbox's root may do that.
        FORBIDDEN,
        /// It would not fit into the sandbox's disk, or the machine's.
        NO_SPACE,
        /// The sandbox is gone, ended meanwhile, or cannot work at the moment.
        UNAVAILABLE
    }

    public FilesException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }

    /// What the kernel's name of an error means here.
    public static Reason reason(String errno) {
        return switch (errno) {
            case "ENOENT" -> Reason.NOT_FOUND;
            case "EEXIST" -> Reason.EXISTS;
            case "ENOTDIR" -> Reason.NOT_A_DIRECTORY;
            case "EISDIR" -> Reason.IS_A_DIRECTORY;
            case "ENOTEMPTY" -> Reason.NOT_EMPTY;
            case "EINVAL", "ELOOP", "ENAMETOOLONG", "ENODATA", "EXDEV" -> Reason.INVALID;
            case "EACCES", "EPERM", "EROFS", "EBUSY", "ETXTBSY" -> Reason.FORBIDDEN;
            case "ENOSPC", "EDQUOT", "EFBIG" -> Reason.NO_SPACE;
            default -> Reason.UNAVAILABLE;
        };
    }
}
