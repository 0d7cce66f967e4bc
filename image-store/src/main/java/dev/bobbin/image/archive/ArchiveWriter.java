package dev.bobbin.image.archive;

import dev.bobbin.image.ArchiveFormat;
import dev.bobbin.image.BlobSource;
import dev.bobbin.image.Descriptor;
import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageIndex;
import dev.bobbin.image.ImageManifest;
import dev.bobbin.image.ImageProblem;
import dev.bobbin.image.MediaTypes;
import java.io.BufferedOutputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/// Writes one archive: content first, each once, the tables of contents behind it.
final class ArchiveWriter {
    static final String NAME = "org.opencontainers.image.ref.name";
    static final String CONTAINERD_NAME = "io.containerd.image.name";

    private static final int BUFFER = 64 * 1024;

    private final OutputStream out;
    private final TarArchiveOutputStream tar;
    private final BlobSource blobs;
    private final Set<Digest> written = new HashSet<>();
    private final List<Descriptor> index = new ArrayList<>();
    private final List<DockerTable.Row> rows = new ArrayList<>();

    /// `out` stays open.
    ArchiveWriter(OutputStream out, BlobSource blobs) {
        this.out = new BufferedOutputStream(out, BUFFER);
        this.tar = new TarArchiveOutputStream(this.out, StandardCharsets.UTF_8.name());
        this.tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
        this.tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
        this.blobs = blobs;
    }

    void write(ArchiveFormat format, List<ArchivedImage> images) throws IOException {
        if (format == ArchiveFormat.MINIBOX) {
            writeMinibox(images.getFirst());
            return;
        }
        write("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}".getBytes(StandardCharsets.UTF_8));
        for (var image : images) {
            writeTree(image.manifest());
            list(image);
            if (format == ArchiveFormat.DOCKER) {
                rows.add(row(image));
            }
        }
        write("index.json", new ImageIndex(MediaTypes.OCI_INDEX, index, Map.of()).bytes());
        if (format == ArchiveFormat.DOCKER) {
            write("manifest.json", DockerTable.bytes(rows));
        }
        tar.finish();
        out.flush(); // the library does not pass a flush on
    }

    private void writeMinibox(ArchivedImage image) throws IOException {
        write(MiniboxTable.NAME, MiniboxTable.bytes(image));
        writeBlob(image.manifest());
        writeTree(image.manifest());
        tar.finish();
        out.flush();
    }

    private void write(String name, byte[] content) throws IOException {
        write(name, content.length, new ByteArrayInputStream(content));
    }

    /// Without time and owner, so that the same images give the same bytes.
    private void write(String name, long size, InputStream content) throws IOException {
        var entry = new TarArchiveEntry(name);
        entry.setSize(size);
        entry.setLastModifiedTime(FileTime.fromMillis(0));
        tar.putArchiveEntry(entry);
        content.transferTo(tar);
        tar.closeArchiveEntry();
    }

    private void list(ArchivedImage image) {
        for (var name : image.names()) {
            index.add(image.manifest().withAnnotations(Map.of(NAME, name, CONTAINERD_NAME, name)));
        }
        if (image.names().isEmpty()) {
            index.add(image.manifest().withAnnotations(Map.of()));
        }
    }

    private void writeTree(Descriptor root) throws IOException {
        if (MediaTypes.isIndex(root.mediaType())) {
            for (var child : ImageIndex.parse(document(root), root.mediaType()).manifests()) {
                if (MediaTypes.isManifest(child.mediaType()) && isHere(child)) {
                    writeTree(child);
                }
            }
        } else {
            var manifest = ImageManifest.parse(document(root), root.mediaType());
            writeBlob(manifest.config());
            for (var layer : manifest.layers()) {
                if (!MediaTypes.isForeignLayer(layer.mediaType()) || isHere(layer)) {
                    writeBlob(layer);
                }
            }
        }
        writeBlob(root);
    }

    /// An index may name images for other machines, which were never pulled.
    private boolean isHere(Descriptor blob) throws IOException {
        try {
            return blobs.size(blob.digest()) == blob.size();
        } catch (ImageException e) {
            if (e.problem() == ImageProblem.NOT_FOUND) {
                return false;
            }
            throw e;
        }
    }

    private void writeBlob(Descriptor blob) throws IOException {
        if (written.add(blob.digest())) {
            try (var content = blobs.open(blob.digest())) {
                write(path(blob), blob.size(), content);
            }
        }
    }

    private DockerTable.Row row(ArchivedImage image) throws IOException {
        var manifest =
                ImageManifest.parse(document(image.manifest()), image.manifest().mediaType());
        return new DockerTable.Row(
                path(manifest.config()),
                image.names().stream().filter(name -> name.indexOf('@') < 0).toList(),
                manifest.layers().stream().map(ArchiveWriter::path).toList());
    }

    private static String path(Descriptor blob) {
        return "blobs/" + blob.digest().algorithm() + "/" + blob.digest().hex();
    }

    private byte[] document(Descriptor descriptor) throws IOException {
        try (var content = blobs.open(descriptor.digest())) {
            return content.readNBytes(ImageManifest.LONGEST + 1);
        }
    }
}
