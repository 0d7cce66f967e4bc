package dev.bobbin.image.registry.wire;

import java.io.IOException;
import java.util.ArrayList;

/// Status and header fields of an answer, read strictly: what two readers could understand differently is refused.
///
/// @param newer whether the server speaks HTTP/1.1 rather than 1.0
record ResponseHead(int status, Headers headers, boolean newer) {
    private static final int LONGEST_LINE = 16 << 10;
    private static final int MOST_FIELDS = 100;
    private static final int MOST_CHARACTERS = 64 << 10;

    static ResponseHead read(Connection connection) throws IOException {
        var start = connection.line(LONGEST_LINE);
        if (!start.matches("HTTP/1\\.[01] [1-9][0-9]{2}( .*)?")) {
            throw new IOException(connection.origin() + " does not speak HTTP/1.1");
        }
        var fields = new ArrayList<Headers.Field>();
        var characters = 0;
        for (var line = connection.line(LONGEST_LINE); !line.isEmpty(); line = connection.line(LONGEST_LINE)) {
            characters += line.length();
            if (fields.size() == MOST_FIELDS || characters > MOST_CHARACTERS) {
                throw new IOException(connection.origin() + " sends more headers than any answer needs");
            }
            fields.add(field(line, connection.origin()));
        }
        return new ResponseHead(Integer.parseInt(start.substring(9, 12)), new Headers(fields), start.charAt(7) == '1');
    }

    private static Headers.Field field(String line, Origin origin) throws IOException {
        var colon = line.indexOf(':');
        if (colon < 1 || line.substring(0, colon).chars().anyMatch(c -> c <= ' ' || c >= 0x7f)) {
            throw new IOException(origin + " sends a header that is none");
        }
        return new Headers.Field(
                line.substring(0, colon), line.substring(colon + 1).strip());
    }

    boolean chunked() throws IOException {
        var codings = headers.all("Transfer-Encoding");
        if (codings.isEmpty()) {
            return false;
        }
        if (codings.size() == 1 && codings.getFirst().equalsIgnoreCase("chunked")) {
            return true;
        }
        throw new IOException("the answer is encoded in a way that was not asked for");
    }

    /// The announced length, or -1.
    long length() throws IOException {
        var lengths = headers.all("Content-Length").stream().distinct().toList();
        if (lengths.isEmpty()) {
            return -1;
        }
        if (lengths.size() > 1 || !lengths.getFirst().matches("[0-9]{1,18}")) {
            throw new IOException("the answer does not say clearly how long it is");
        }
        return Long.parseLong(lengths.getFirst());
    }

    boolean keepsAlive() {
        return newer && headers.all("Connection").stream().noneMatch(value -> value.equalsIgnoreCase("close"));
    }
}
