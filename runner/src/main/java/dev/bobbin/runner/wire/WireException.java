package dev.bobbin.runner.wire;

import java.io.IOException;

/// Bytes that are not what the contract says; whoever sent them is not to be trusted further.
public final class WireException extends IOException {
    private static final long serialVersionUID = 1;

    public WireException(String message) {
        super(message);
    }
}
