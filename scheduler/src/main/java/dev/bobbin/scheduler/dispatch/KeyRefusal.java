package dev.bobbin.scheduler.dispatch;

import dev.bobbin.runner.Refusal;

/// What a request is told whose key is no good.
final class KeyRefusal {
    private static final String FIELD = "Idempotency-Key";

    private KeyRefusal() {}

    static Refusal reused() {
        return new Refusal(
                Refusal.Reason.KEY_REUSED,
                FIELD + ": belongs to an earlier request with another body or path; take a new one for a new request",
                FIELD);
    }

    /// @param what began under the key, for a person
    static Refusal spent(String what) {
        return new Refusal(
                Refusal.Reason.KEY_SPENT, FIELD + ": " + what + " began with it and is not kept any more", FIELD);
    }
}
