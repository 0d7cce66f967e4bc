package dev.bobbin.image;

/// What an image is written as when it is saved.
public enum ArchiveFormat {
    /// A tar of an OCI image layout.
    OCI,
    /// What `docker save` writes.
    DOCKER
}
