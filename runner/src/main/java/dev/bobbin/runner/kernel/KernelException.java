package dev.bobbin.runner.kernel;

/// What this machine lacks or does not do, in one sentence for a person.
public final class KernelException extends RuntimeException {
    public KernelException(String message, Throwable cause) {
        super(message, cause);
    }

    public KernelException(String message) {
        super(message);
    }
}
