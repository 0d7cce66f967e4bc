package dev.bobbin.scheduler.http.v1;

import dev.bobbin.scheduler.http.exchange.Accept;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// The forms in which a job's output is answered.
enum Rendition {
    JSON("application/json"),
    TEXT("text/plain"),
    NDJSON("application/x-ndjson"),
    SSE("text/event-stream");

    private final String type;

    Rendition(String type) {
        this.type = type;
    }

    String type() {
        return this == TEXT ? "text/plain; charset=utf-8" : type;
    }

    /// What the request's `Accept` asks for, `preferred` if it leaves the choice.
    static Rendition of(ServerRequest request, Rendition preferred) {
        var offered = new ArrayList<>(List.of(preferred));
        Stream.of(values()).filter(other -> other != preferred).forEach(offered::add);
        var values = request.headers().all(HeaderNames.ACCEPT, List::of);
        var chosen = Accept.choose(
                        values, offered.stream().map(each -> each.type).toList())
                .orElseThrow(() -> new Rejected(new Problem(
                        406,
                        "not_acceptable",
                        "Accept: this answers application/json, text/plain, application/x-ndjson and text/event-stream",
                        "Accept",
                        0)));
        return offered.stream()
                .filter(each -> each.type.equals(chosen))
                .findFirst()
                .orElseThrow();
    }
}
