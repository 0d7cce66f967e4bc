package dev.bobbin.ops.cli;

/// Why a server cannot start here. The message is for a person: for each thing that is missing one sentence that says
/// what is missing and what to do.
public final class StartException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public StartException(String message) {
        super(message);
    }

    public StartException(String message, Throwable cause) {
        super(message, cause);
    }
}
