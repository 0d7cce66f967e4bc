package dev.bobbin.scheduler.http.v1;

import dev.bobbin.scheduler.http.exchange.Body;
import dev.bobbin.scheduler.http.exchange.JsonInput;
import io.helidon.webserver.http.ServerRequest;
import java.io.IOException;
import java.time.Duration;
import java.util.Set;

/// The body of what stops, restarts or signals something; each field of it, and the whole of it, may be left out.
final class EndRequest {
    static final Set<String> SIGNAL = Set.of("signal");
    static final Set<String> SIGNAL_AND_GRACE = Set.of("signal", "grace");

    private static final int LARGEST = 64 * 1024;
    private static final Duration USUAL_GRACE = Duration.ofSeconds(10);
    private static final Duration LONGEST_GRACE = Duration.ofHours(1);

    private int signal;
    private Duration grace = USUAL_GRACE;

    private EndRequest(int usualSignal) {
        this.signal = usualSignal;
    }

    static EndRequest read(ServerRequest request, Set<String> fields, int usualSignal) {
        var read = new EndRequest(usualSignal);
        var body = Body.read(request, LARGEST);
        if (body.length > 0) {
            JsonInput.readObject(body, fields, read::field);
        }
        return read;
    }

    /// Reads a body that may be an object without fields, or nothing.
    static void readNothing(ServerRequest request) {
        read(request, Set.of(), 0);
    }

    int signal() {
        return signal;
    }

    Duration grace() {
        return grace;
    }

    private void field(String name, JsonInput value) throws IOException {
        if (name.equals("signal")) {
            signal = Signals.number(value);
            return;
        }
        grace = Quantity.duration(value);
        if (grace.compareTo(LONGEST_GRACE) > 0) {
            throw value.wrong("must be at most 1h");
        }
    }
}
