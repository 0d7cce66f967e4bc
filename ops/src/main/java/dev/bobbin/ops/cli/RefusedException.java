package dev.bobbin.ops.cli;

import java.io.IOException;

/// The server said no; the message is its reason.
final class RefusedException extends IOException {
    RefusedException(String reason) {
        super(reason);
    }
}
