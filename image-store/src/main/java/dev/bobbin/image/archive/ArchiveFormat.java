package dev.bobbin.image.archive;

/// How images are laid out in one tar file.
public enum ArchiveFormat {
    /// The OCI image layout.
    OCI,
    /// The same with Docker's own table of contents beside it, as Docker has written it since version 25; read by
    /// every `docker load`.
    DOCKER
}
