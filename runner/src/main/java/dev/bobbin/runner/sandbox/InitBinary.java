package dev.bobbin.runner.sandbox;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/// The program `bobbin-init` as it was built into this jar, laid on disk to be started.
public final class InitBinary {
    private static final String RESOURCE =
            "/dev/bobbin/runner/native/linux-" + System.getProperty("os.arch") + "/bobbin-init";

    private InitBinary() {}

    /// Lays the binary into `directory`, under a name that tells its content, unless it lies there already.
    ///
    /// @return an executable file that only root may read
    public static Path install(Path directory) throws IOException {
        byte[] content;
        try (var in = InitBinary.class.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                throw new IOException("this build has no bobbin-init for " + System.getProperty("os.arch")
                        + "; build Bobbin on this machine");
            }
            content = in.readAllBytes();
        }
        var fingerprint = HexFormat.of().formatHex(sha256(content), 0, 8);
        var path = directory.resolve("bobbin-init-" + fingerprint);
        if (!Files.exists(path)) {
            Files.createDirectories(
                    directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            var aside = Files.createTempFile(directory, ".bobbin-init", "");
            Files.write(aside, content);
            Files.setPosixFilePermissions(aside, PosixFilePermissions.fromString("r-x------"));
            Files.move(aside, path, StandardCopyOption.ATOMIC_MOVE);
        }
        return path;
    }

    static byte[] sha256(byte[] content) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(content);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
