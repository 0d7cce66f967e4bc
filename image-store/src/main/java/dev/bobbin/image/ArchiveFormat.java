package dev.bobbin.image;

/// What an image is written as when it is saved: how it lies in one tar file.
public enum ArchiveFormat {
    /// The OCI image layout.
    OCI,
    /// The same with Docker's own table of contents beside it, as Docker has written it since version 25; read by
    /// every `docker load`.
    DOCKER,
    /// One image as minibox has it: its name and the digest of its manifest first, then the content.
    MINIBOX
}
