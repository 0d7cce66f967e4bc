package dev.bobbin.image.store;

import dev.bobbin.image.BlobSink;
import dev.bobbin.image.BlobSource;
import dev.bobbin.image.Descriptor;
import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageProblem;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Content by its address, as it was sent: `blobs/sha256/<hex>`.
final class Blobs implements BlobSink, BlobSource {
    private final Disk disk;

    Blobs(Disk disk) {
        this.disk = disk;
    }

    /// Whether it is here, by its size; its digest is verified whenever it is read.
    boolean has(Descriptor descriptor) {
        try {
            return Files.size(path(descriptor.digest())) == descriptor.size();
        } catch (IOException _) {
            return false;
        }
    }

    @Override
    public Descriptor put(Descriptor expected, InputStream in) throws IOException {
        try (var arrival = arrival(expected.digest().algorithm())) {
            arrival.take(in, expected.size());
            arrival.keep(expected);
            return expected;
        }
    }

    @Override
    public Descriptor put(String mediaType, InputStream in, long limit) throws IOException {
        try (var arrival = arrival("sha256")) {
            arrival.take(in, limit);
            return arrival.keepAs(mediaType);
        }
    }

    /// Content that is about to come.
    Arrival arrival(String algorithm) {
        return new Arrival(disk, this, algorithm);
    }

    @Override
    public InputStream open(Digest digest) throws IOException {
        try {
            return new VerifiedStream(Files.newInputStream(path(digest)), digest, () -> discard(digest));
        } catch (NoSuchFileException _) {
            throw absent(digest);
        }
    }

    /// The content from a position on, not verified.
    InputStream open(Digest digest, long from) throws IOException {
        try {
            var in = Files.newInputStream(path(digest));
            in.skipNBytes(from);
            return in;
        } catch (NoSuchFileException _) {
            throw absent(digest);
        }
    }

    /// A small one, whole and verified.
    byte[] bytes(Descriptor descriptor, int limit) {
        try (var in = open(descriptor.digest())) {
            var bytes = in.readNBytes(limit);
            if (bytes.length != descriptor.size() || in.read() >= 0) {
                throw ImageException.wrongSize(
                        descriptor.digest(), descriptor.size(), Long.toString(size(descriptor.digest())));
            }
            return bytes;
        } catch (IOException e) {
            throw Disk.failure("read blob " + descriptor.digest(), e);
        }
    }

    @Override
    public long size(Digest digest) throws IOException {
        try {
            return Files.size(path(digest));
        } catch (NoSuchFileException _) {
            throw absent(digest);
        }
    }

    /// All that are here.
    List<Digest> all() throws IOException {
        var all = new ArrayList<Digest>();
        for (var algorithm : List.of("sha256", "sha512")) {
            var directory = disk.blobs().resolve(algorithm);
            if (Files.isDirectory(directory)) {
                try (var files = Files.newDirectoryStream(directory)) {
                    files.forEach(file ->
                            all.add(new Digest(algorithm, file.getFileName().toString())));
                }
            }
        }
        return all;
    }

    /// Takes one away, at once.
    void discard(Digest digest) throws IOException {
        disk.discard(path(digest));
    }

    Path path(Digest digest) {
        return disk.blobs().resolve(digest.algorithm()).resolve(digest.hex());
    }

    private static ImageException absent(Digest digest) {
        return new ImageException(ImageProblem.NOT_FOUND, "the store has no content " + digest);
    }
}
