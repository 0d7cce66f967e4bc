package dev.bobbin.image;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/// A content address, `sha256:` or `sha512:` and lower-case hex digits; so it can stand in any path as it is.
public record Digest(String algorithm, String hex) implements Comparable<Digest> {
    private static final Pattern HEX = Pattern.compile("[0-9a-f]+");

    public Digest {
        var length = switch (algorithm) {
            case "sha256" -> 64;
            case "sha512" -> 128;
            default -> throw new IllegalArgumentException("a digest begins with sha256: or sha512:");
        };
        if (hex.length() != length || !HEX.matcher(hex).matches()) {
            throw new IllegalArgumentException("a " + algorithm + " digest has " + length + " digits of 0-9 and a-f");
        }
    }

    /// Reads `algorithm:hex`.
    ///
    /// @throws IllegalArgumentException if it is anything else; the message repeats none of it
    public static Digest parse(String text) {
        var colon = text.indexOf(':');
        if (colon < 0) {
            throw new IllegalArgumentException("a digest begins with sha256: or sha512:");
        }
        return new Digest(text.substring(0, colon), text.substring(colon + 1));
    }

    public static Digest sha256(byte[] content) {
        var hasher = hasher("sha256");
        hasher.update(content);
        return of("sha256", hasher);
    }

    public static Digest sha256(String content) {
        return sha256(content.getBytes(StandardCharsets.UTF_8));
    }

    /// The digest of everything left in `in`, which is not closed.
    public static Digest sha256(InputStream in) throws IOException {
        var hasher = hasher("sha256");
        var buffer = new byte[64 * 1024];
        for (var read = in.read(buffer); read >= 0; read = in.read(buffer)) {
            hasher.update(buffer, 0, read);
        }
        return of("sha256", hasher);
    }

    /// What `hasher`, made by [#hasher(String)] for `algorithm`, has seen; resets it.
    public static Digest of(String algorithm, MessageDigest hasher) {
        return new Digest(algorithm, HexFormat.of().formatHex(hasher.digest()));
    }

    /// Fresh state to feed content into.
    public static MessageDigest hasher(String algorithm) {
        try {
            return MessageDigest.getInstance(algorithm.equals("sha512") ? "SHA-512" : "SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has " + algorithm, e);
        }
    }

    /// Fresh state to feed content into that should have this digest.
    public MessageDigest hasher() {
        return hasher(algorithm);
    }

    public String text() {
        return algorithm + ":" + hex;
    }

    @Override
    public int compareTo(Digest other) {
        return text().compareTo(other.text());
    }

    @Override
    public String toString() {
        return text();
    }
}
