package dev.bobbin.ops.cli;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.Locale;

/// The keys that leave a terminal, found among all that is typed. Keys that may be the first of them wait for the next.
final class DetachKeys {
    static final String USUAL = "ctrl-p,ctrl-q";

    private static final String WITH_CONTROL = "@abcdefghijklmnopqrstuvwxyz[\\]^_";

    private final byte[] keys;
    private int matched;

    /// @param text keys with commas between them, each a character or `ctrl-` and one; empty for none
    DetachKeys(String text) {
        var found = new ByteArrayOutputStream();
        for (var key : text.isEmpty() ? new String[0] : text.split(",", -1)) {
            found.write(key(key));
        }
        keys = found.toByteArray();
    }

    private static int key(String key) {
        if (key.length() == 1 && key.charAt(0) > ' ' && key.charAt(0) < 127) {
            return key.charAt(0);
        }
        var control = key.toLowerCase(Locale.ROOT).replaceFirst("^ctrl-", "");
        var code = control.length() == 1 && control.length() < key.length() ? WITH_CONTROL.indexOf(control) : -1;
        if (code < 0) {
            throw new IllegalArgumentException("there is no key \"" + key + "\"; say for example ctrl-p,ctrl-q");
        }
        return code;
    }

    /// What of `typed` is to be passed on, with what waited.
    byte[] pass(byte[] typed) {
        if (keys.length == 0) {
            return typed;
        }
        var passed = new ByteArrayOutputStream();
        for (var key : typed) {
            if (isComplete()) {
                break;
            }
            if (key != keys[matched]) {
                passed.writeBytes(Arrays.copyOf(keys, matched));
                matched = 0;
            }
            if (key == keys[matched]) {
                matched++;
            } else {
                passed.write(key);
            }
        }
        return passed.toByteArray();
    }

    /// Whether all of them have been typed.
    boolean isComplete() {
        return keys.length > 0 && matched == keys.length;
    }
}
