package dev.bobbin.runner.net.dns;

import java.io.IOException;

/// Bytes that are no message of RFC 1035.
final class MalformedException extends IOException {
    MalformedException(String what) {
        super(what);
    }
}
