package dev.bobbin.runner.net.dns;

/// Numbers of the registry of DNS parameters, and where names stand in the data of records.
final class Types {
    static final int A = 1;
    static final int NS = 2;
    static final int CNAME = 5;
    static final int SOA = 6;
    static final int PTR = 12;
    static final int MX = 15;
    static final int TXT = 16;
    static final int AAAA = 28;
    static final int OPT = 41;
    static final int SVCB = 64;
    static final int HTTPS = 65;
    static final int IXFR = 251;
    static final int AXFR = 252;
    static final int ANY = 255;

    static final int IN = 1;

    private Types() {}

    /// The data of a type as letters: `n` a name, a digit so many bytes, `s` bytes after their number, `.` the end;
    /// without that any others may come. Data of other types has no names that could be compressed: RFC 3597, 4.
    static String layout(int type) {
        return switch (type) {
            case A -> "4.";
            case AAAA -> "97.";
            case NS, CNAME, PTR, 3, 4, 7, 8, 9, 39 -> "n.";
            case SOA -> "nn992.";
            case MX, 18, 21, 36 -> "2n.";
            case 14, 17 -> "nn.";
            case 24 -> "99n";
            case 26 -> "2nn.";
            case 30 -> "n";
            case 33 -> "6n.";
            case 35 -> "4sssn.";
            default -> "";
        };
    }

    /// Whether names in its data may be compressed: only in types of RFC 1035, which every reader knows.
    static boolean compressible(int type) {
        return type > A && type <= MX && !layout(type).isEmpty();
    }
}
