package dev.bobbin.image.store;

import dev.bobbin.image.Descriptor;
import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.List;
import java.util.Objects;

/// Content on its way into the store. Closing it forgets what was not kept.
final class Arrival extends OutputStream {
    private static final int CHUNK = 64 * 1024;

    private final Disk disk;
    private final Blobs blobs;
    private final Path file;
    private final String algorithm;
    private final MessageDigest hasher;
    private final OutputStream out;
    private long size;

    Arrival(Disk disk, Blobs blobs, String algorithm) {
        this.disk = disk;
        this.blobs = blobs;
        this.algorithm = algorithm;
        this.file = disk.fresh("blob");
        this.hasher = Digest.hasher(algorithm);
        try {
            this.out = Files.newOutputStream(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        } catch (IOException e) {
            throw Disk.failure("keep a blob", e);
        }
    }

    /// Takes all of `in`.
    ///
    /// @param limit the most bytes; more are INVALID
    /// @throws IOException if `in` fails; failures of the disk are an [ImageException]
    void take(InputStream in, long limit) throws IOException {
        var buffer = new byte[CHUNK];
        for (var read = in.read(buffer); read >= 0; read = in.read(buffer)) {
            if (size + read > limit) {
                throw ImageException.invalid("content is longer than the " + limit + " bytes it should have at most");
            }
            write(buffer, 0, read);
        }
    }

    @Override
    public void write(int single) {
        write(new byte[] {(byte) single}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
        try {
            out.write(bytes, offset, length);
        } catch (IOException e) {
            throw Disk.failure("keep a blob", e);
        }
        hasher.update(bytes, offset, length);
        size += length;
    }

    long size() {
        return size;
    }

    /// Keeps it, if it is what was expected.
    void keep(Descriptor expected) {
        if (size != expected.size()) {
            throw ImageException.wrongSize(expected.digest(), expected.size(), Long.toString(size));
        }
        var got = Digest.of(algorithm, hasher);
        if (!got.equals(expected.digest())) {
            throw ImageException.wrongDigest(expected.digest(), got);
        }
        publish(got);
    }

    /// Keeps it as what it is.
    Descriptor keepAs(String mediaType) {
        var descriptor = new Descriptor(mediaType, Digest.of(algorithm, hasher), size);
        publish(descriptor.digest());
        return descriptor;
    }

    /// Keeps it as what it is, pinned before it can be taken away.
    ///
    /// @param held gets what was pinned
    Descriptor keepPinned(String mediaType, Pins pins, List<Digest> held) {
        var descriptor = new Descriptor(mediaType, Digest.of(algorithm, hasher), size);
        pins.pin(List.of(descriptor.digest()));
        held.add(descriptor.digest());
        publish(descriptor.digest());
        return descriptor;
    }

    private void publish(Digest digest) {
        try {
            out.close();
            var target = blobs.path(digest);
            Files.createDirectories(Objects.requireNonNull(target.getParent()));
            disk.publish(file, target);
        } catch (IOException e) {
            throw Disk.failure("keep blob " + digest, e);
        }
    }

    @Override
    public void close() {
        try {
            out.close();
            Files.deleteIfExists(file);
        } catch (IOException _) {
            disk.remove(file);
        }
    }
}
