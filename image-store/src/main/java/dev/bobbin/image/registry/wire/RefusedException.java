package dev.bobbin.image.registry.wire;

import java.io.IOException;

/// A connection that was not made, or an answer that was not taken, because a rule forbids it. Trying again is of no
/// use.
public final class RefusedException extends IOException {
    public RefusedException(String message) {
        super(message);
    }
}
