package dev.bobbin.runner;

import dev.bobbin.image.Digest;
import java.time.Duration;
import java.time.Instant;

/// By which a request that is sent again is known. Neither the caller's word nor what it asked for can be read from it.
///
/// @param name digest of the tenant and of the word that it chose; the same for the same word
/// @param body digest of what was asked for
public record RequestKey(String name, String body) {
    /// How long a word is remembered from its first use.
    public static final Duration KEPT = Duration.ofHours(24);

    /// The key of a request by `tenant` that calls it `word`.
    ///
    /// @param body digest of all that makes it this request and no other
    public static RequestKey of(String tenant, String word, Digest body) {
        return new RequestKey(Digest.sha256(tenant + "\0" + word).hex(), body.hex());
    }

    /// What a request with a key began, whether it is still there or not.
    public sealed interface Use {
        RequestKey key();

        /// Whose it is.
        String tenant();

        Instant at();

        /// A job, run or exec.
        record ByJob(RequestKey key, String tenant, Instant at, JobId id) implements Use {}

        /// A sandbox that lasts.
        record BySandbox(RequestKey key, String tenant, Instant at, SandboxId id) implements Use {}
    }
}
