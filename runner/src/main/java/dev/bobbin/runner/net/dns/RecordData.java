package dev.bobbin.runner.net.dns;

import java.util.Arrays;

/// A record's data, byte for byte.
final class RecordData {
    private final byte[] bytes;

    /// Takes `bytes` over.
    RecordData(byte[] bytes) {
        this.bytes = bytes;
    }

    /// Not to be changed.
    byte[] bytes() {
        return bytes;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof RecordData data && Arrays.equals(bytes, data.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
        return Arrays.toString(bytes);
    }
}
