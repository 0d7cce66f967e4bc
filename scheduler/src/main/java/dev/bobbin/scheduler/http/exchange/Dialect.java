package dev.bobbin.scheduler.http.exchange;

import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerResponse;

/// One API: its routes, and its way to say that something is wrong on a path it owns.
public interface Dialect extends HttpService {

    boolean owns(String path);

    /// What a caller without credentials is asked for (`WWW-Authenticate`).
    default String challenge() {
        return "Bearer";
    }

    /// Answers with `problem`; the status and the form are the dialect's.
    void fail(ServerResponse response, Problem problem);
}
