package dev.bobbin.scheduler.http.exchange;

import dev.bobbin.scheduler.tenant.Caller;
import io.helidon.webserver.http.ServerRequest;

/// What the front notes about a request for the handlers behind it.
public final class Exchange {
    private Exchange() {}

    public static void caller(ServerRequest request, Caller caller) {
        request.context().register(caller);
    }

    public static Caller caller(ServerRequest request) {
        return request.context().get(Caller.class).orElse(Caller.NOBODY);
    }
}
