package dev.bobbin.scheduler.http;

import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.ServerRequestHeaders;
import java.util.List;

/// Refuses requests of which two readers could think that they end at different places, or go to different hosts: what
/// one takes for the rest of a body is another's next request.
final class Framing {
    static final String CODE = "ambiguous_request";

    private Framing() {}

    static void check(ServerRequestHeaders headers) {
        for (var header : headers) {
            if (header.name().isEmpty()) {
                throw new Rejected(new Problem(400, CODE, "a header has no name"));
            }
        }
        var lengths = values(headers, HeaderNames.CONTENT_LENGTH);
        var encodings = values(headers, HeaderNames.TRANSFER_ENCODING);
        if (lengths.size() > 1 || (!lengths.isEmpty() && !encodings.isEmpty())) {
            throw ambiguous("Content-Length: the length of the body is said in two ways", "Content-Length");
        }
        if (!lengths.isEmpty() && !isNumber(lengths.getFirst())) {
            throw ambiguous("Content-Length: must be digits alone", "Content-Length");
        }
        if (encodings.size() > 1
                || (!encodings.isEmpty() && !encodings.getFirst().equalsIgnoreCase("chunked"))) {
            throw ambiguous("Transfer-Encoding: this server knows chunked only", "Transfer-Encoding");
        }
        if (values(headers, HeaderNames.HOST).size() > 1) {
            throw ambiguous("Host: must be given once", "Host");
        }
    }

    private static List<String> values(ServerRequestHeaders headers, HeaderName name) {
        return headers.contains(name) ? headers.get(name).allValues() : List.of();
    }

    private static boolean isNumber(String text) {
        return !text.isEmpty() && text.length() < 19 && text.chars().allMatch(letter -> letter >= '0' && letter <= '9');
    }

    private static Rejected ambiguous(String detail, String field) {
        return new Rejected(new Problem(400, CODE, detail, field, 0));
    }
}
