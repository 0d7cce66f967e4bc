package dev.bobbin.scheduler.http.v1;

import dev.bobbin.image.Digest;
import dev.bobbin.runner.RequestKey;
import dev.bobbin.scheduler.http.exchange.Exchange;
import dev.bobbin.scheduler.http.exchange.Rejected;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The header by which a request that is sent again begins nothing again.
final class IdempotencyKey {
    private static final String NAME = "Idempotency-Key";
    private static final HeaderName HEADER = HeaderNames.create(NAME);
    private static final int LONGEST = 255;

    private IdempotencyKey() {}

    /// The key of a request whose body has been read; `null` if it has none.
    static @Nullable RequestKey of(ServerRequest request, byte[] body) {
        var word = word(request);
        return word == null ? null : of(request, word, Digest.sha256(body));
    }

    /// The same, where the body was not held.
    ///
    /// @param word as [#word] gave it
    /// @param body digest of the whole body
    static RequestKey of(ServerRequest request, String word, Digest body) {
        var asked = request.path().rawPath() + "?" + request.query().rawValue() + "\0" + body;
        return RequestKey.of(Exchange.caller(request).tenant().name(), word, Digest.sha256(asked));
    }

    /// What the caller wrote, known before any body comes; `null` for nothing.
    static @Nullable String word(ServerRequest request) {
        var values = request.headers().all(HEADER, List::of);
        if (values.isEmpty()) {
            return null;
        }
        var word = values.getFirst();
        if (values.size() > 1 || word.isEmpty() || word.length() > LONGEST || !isPrintable(word)) {
            throw Rejected.invalid(NAME, NAME + ": must be one value of 1 to 255 printable ASCII characters");
        }
        return word;
    }

    private static boolean isPrintable(String word) {
        return StandardCharsets.US_ASCII.newEncoder().canEncode(word)
                && word.chars().allMatch(each -> each >= ' ' && each <= '~');
    }
}
