package dev.bobbin.scheduler.http.v1;

import dev.bobbin.scheduler.http.exchange.Disconnects;
import dev.bobbin.scheduler.http.exchange.Streamed;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerResponse;
import org.jspecify.annotations.Nullable;

/// One answer on its way: its form, its body, and the watch over whether anybody still waits for it. For the thread of
/// its request.
final class Reply implements AutoCloseable {
    private final ServerResponse response;
    private final Rendition rendition;
    private final Disconnects disconnects;
    private Disconnects.@Nullable Watch watch;
    private @Nullable Streamed body;
    private @Nullable Frames frames;

    Reply(ServerResponse response, Rendition rendition, Disconnects disconnects) {
        this.response = response;
        this.rendition = rendition;
        this.disconnects = disconnects;
    }

    ServerResponse response() {
        return response;
    }

    Rendition rendition() {
        return rendition;
    }

    /// Runs `gone` if the client goes before the answer is over, and nothing else that was said before.
    void watch(Runnable gone) {
        if (watch == null) {
            watch = disconnects.watch(response, gone);
        } else {
            watch.instead(gone);
        }
    }

    /// Whether the answer is a stream whose headers are said.
    boolean isStreamed() {
        return body != null;
    }

    /// The body, sent as it is made; headers come before it.
    Streamed body() {
        if (body == null) {
            response.header(HeaderNames.CONTENT_TYPE, rendition.type());
            response.header(HeaderNames.CACHE_CONTROL, "no-store");
            body = new Streamed(response);
        }
        return body;
    }

    /// The body, as frames.
    Frames frames() {
        if (frames == null) {
            frames = new Frames(body(), rendition == Rendition.SSE);
        }
        return frames;
    }

    /// Ends the watch.
    @Override
    public void close() {
        if (watch != null) {
            watch.close();
        }
    }
}
