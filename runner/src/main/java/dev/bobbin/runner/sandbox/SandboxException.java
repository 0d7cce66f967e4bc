package dev.bobbin.runner.sandbox;

/// A sandbox could not be made or reached. The message says what was tried, on what.
public final class SandboxException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public SandboxException(String message) {
        super(message);
    }

    public SandboxException(String message, Throwable cause) {
        super(message, cause);
    }
}
