package dev.bobbin.runner.net.dns;

/// What a message says beyond RFC 1035 (RFC 6891); options are left out.
///
/// @param payloadBytes how long a datagram its sender takes
/// @param dnssec whether signatures are wanted
record Edns(int payloadBytes, int version, boolean dnssec) {
    /// What passes every usual path in one piece.
    static final int PAYLOAD = 1232;

    static Edns ours(boolean dnssec) {
        return new Edns(PAYLOAD, 0, dnssec);
    }
}
