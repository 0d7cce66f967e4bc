package dev.bobbin.image.archive;

import dev.bobbin.image.BlobSink;
import dev.bobbin.image.BlobSource;
import dev.bobbin.image.Descriptor;
import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageProblem;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/// Content in a directory, checked as the store checks it.
final class TestBlobs implements BlobSink, BlobSource {
    private final Path directory;

    TestBlobs(Path directory) {
        this.directory = directory;
    }

    @Override
    public Descriptor put(Descriptor expected, InputStream in) throws IOException {
        var kept = put(expected.mediaType(), in, Long.MAX_VALUE);
        if (!kept.digest().equals(expected.digest())) {
            throw ImageException.wrongDigest(expected.digest(), kept.digest());
        }
        if (kept.size() != expected.size()) {
            throw ImageException.wrongSize(expected.digest(), expected.size(), Long.toString(kept.size()));
        }
        return expected;
    }

    @Override
    public Descriptor put(String mediaType, InputStream in, long limit) throws IOException {
        var aside = Files.createTempFile(directory, "aside", "");
        Files.copy(in, aside, StandardCopyOption.REPLACE_EXISTING);
        try (var content = Files.newInputStream(aside)) {
            var digest = Digest.sha256(content);
            Files.move(aside, directory.resolve(digest.hex()), StandardCopyOption.REPLACE_EXISTING);
            return new Descriptor(mediaType, digest, size(digest));
        }
    }

    @Override
    public InputStream open(Digest digest) throws IOException {
        size(digest);
        return Files.newInputStream(directory.resolve(digest.hex()));
    }

    @Override
    public long size(Digest digest) throws IOException {
        var file = directory.resolve(digest.hex());
        if (!Files.exists(file)) {
            throw new ImageException(ImageProblem.NOT_FOUND, "no " + digest);
        }
        return Files.size(file);
    }
}
