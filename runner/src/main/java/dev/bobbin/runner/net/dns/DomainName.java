package dev.bobbin.runner.net.dns;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/// A name as it stands in a message without compression: labels, each after its length, and an empty one. Letters keep
/// their case and are the same name in either.
final class DomainName {
    static final int LONGEST = 255;
    static final int LONGEST_LABEL = 63;
    static final DomainName ROOT = new DomainName(new byte[1]);

    private final byte[] wire;

    /// Takes what a [MessageReader] has checked.
    DomainName(byte[] wire) {
        this.wire = wire;
    }

    /// The name that is written so, without escapes; empty for what is no name.
    static Optional<DomainName> of(String text) {
        if (text.isEmpty()) {
            return Optional.empty();
        }
        var wire = new ByteArrayOutputStream();
        for (var label : text.split("\\.", -1)) {
            var bytes = label.getBytes(StandardCharsets.UTF_8);
            if (bytes.length == 0 || bytes.length > LONGEST_LABEL) {
                return Optional.empty();
            }
            wire.write(bytes.length);
            wire.writeBytes(bytes);
        }
        wire.write(0);
        return wire.size() <= LONGEST ? Optional.of(new DomainName(wire.toByteArray())) : Optional.empty();
    }

    /// In small letters with dots between labels and none at the end. Empty if a label has bytes other than letters,
    /// digits, `-` and `_`, so that it could be read as another name.
    Optional<String> text() {
        var text = new StringBuilder();
        for (var at = 0; wire[at] != 0; at += 1 + wire[at]) {
            text.append(at == 0 ? "" : ".");
            for (var index = at + 1; index <= at + wire[at]; index++) {
                var letter = (char) lower(wire[index]);
                if (!isPlain(letter)) {
                    return Optional.empty();
                }
                text.append(letter);
            }
        }
        return Optional.of(text.toString());
    }

    private static boolean isPlain(char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '-' || letter == '_';
    }

    int labels() {
        var count = 0;
        for (var at = 0; wire[at] != 0; at += 1 + wire[at]) {
            count++;
        }
        return count;
    }

    /// Not to be changed.
    byte[] wire() {
        return wire;
    }

    static byte lower(byte letter) {
        return letter >= 'A' && letter <= 'Z' ? (byte) (letter + 'a' - 'A') : letter;
    }

    @Override
    public boolean equals(Object other) {
        if (!(other instanceof DomainName name) || name.wire.length != wire.length) {
            return false;
        }
        for (var index = 0; index < wire.length; index++) {
            // a length is below 64 and so never a letter
            if (lower(wire[index]) != lower(name.wire[index])) {
                return false;
            }
        }
        return true;
    }

    @Override
    public int hashCode() {
        var hash = 0;
        for (var letter : wire) {
            hash = hash * 31 + lower(letter);
        }
        return hash;
    }

    @Override
    public String toString() {
        return text().orElseGet(() -> Arrays.toString(wire));
    }
}
