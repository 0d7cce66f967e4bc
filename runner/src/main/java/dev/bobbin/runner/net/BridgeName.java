package dev.bobbin.runner.net;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/// How the bridge of a run directory is called, its table of rules too: `bob` and seven digits, so that four more fit
/// into the name of a link.
final class BridgeName {
    private static final int DIGITS = 7;

    private BridgeName() {}

    static String of(Path runDir) {
        return "bob" + digest(runDir).substring(0, DIGITS);
    }

    /// A number between 0 and `most`, the same for a run directory each time.
    static int number(Path runDir, int most) {
        return Math.floorMod(HexFormat.fromHexDigits(digest(runDir).substring(DIGITS, 2 * DIGITS)), most);
    }

    private static String digest(Path runDir) {
        try {
            var path = runDir.toAbsolutePath().normalize().toString();
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(path.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
