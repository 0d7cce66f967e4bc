package dev.bobbin.image;

/// Why something could not be done with an image.
public enum ImageProblem {
    /// No store and no registry knows it.
    NOT_FOUND,
    /// No registry answered.
    UNAVAILABLE,
    /// A registry wants other credentials.
    UNAUTHORIZED,
    /// Its content is not what it should be: digest, size, format.
    INVALID,
    /// It is well formed, and something that is not done here.
    UNSUPPORTED,
    /// Jobs or other images need it.
    IN_USE,
    /// Too many are asked for at once; later it will do.
    BUSY,
    /// There is no room for it on the disk.
    DISK_FULL,
    /// The machine failed: its disk could not be read or written.
    HOST_FAILED
}
