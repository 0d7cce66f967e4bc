package dev.bobbin.scheduler.tenant;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Set;

/// A secret that stands for a caller. Only its SHA-256 is kept: secrets are long and random, so that a slow hash would
/// buy nothing and cost every request.
public final class Token {
    private final String name;
    private final byte[] digest;
    private final Caller caller;

    private Token(String name, byte[] digest, Caller caller) {
        this.name = name;
        this.digest = digest;
        this.caller = caller;
    }

    public static Token of(String name, String secret, Tenant tenant, Set<Scope> scopes) {
        if (secret.isEmpty()) {
            throw new IllegalArgumentException("token " + name + ": must not be empty");
        }
        return new Token(name, sha256(secret), new Caller(tenant, scopes));
    }

    /// A token of which only the digest is known.
    ///
    /// @param sha256 64 hexadecimal digits
    public static Token hashed(String name, String sha256, Tenant tenant, Set<Scope> scopes) {
        var digest = HexFormat.of().parseHex(sha256);
        if (digest.length != 32) {
            throw new IllegalArgumentException("token " + name + ": a SHA-256 has 64 hexadecimal digits");
        }
        return new Token(name, digest, new Caller(tenant, scopes));
    }

    public String name() {
        return name;
    }

    Caller caller() {
        return caller;
    }

    boolean matches(byte[] candidate) {
        return MessageDigest.isEqual(digest, candidate);
    }

    static byte[] sha256(String secret) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(secret.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    @Override
    public String toString() {
        return "token " + name + " of " + caller.tenant().name();
    }
}
