package dev.bobbin.ops.config;

/// A setting that cannot be used. The message is one sentence for the person who wrote it.
public final class ConfigException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public ConfigException(String message) {
        super(message);
    }
}
