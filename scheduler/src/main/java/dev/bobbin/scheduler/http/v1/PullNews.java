package dev.bobbin.scheduler.http.v1;

import dev.bobbin.image.PullProgress;
import dev.bobbin.runner.Job;
import dev.bobbin.scheduler.http.exchange.Streamed;
import dev.bobbin.scheduler.http.exchange.Transfer;
import java.io.IOException;

/// Tells a client how an image comes that its job needs. One that may leave without ending its job is not missed.
final class PullNews implements Transfer.Listener {
    private final Reply reply;
    private final Job.OnDisconnect onDisconnect;
    private final Step step;
    private boolean gone;

    /// How one step is said.
    @FunctionalInterface
    interface Step {
        void say(PullProgress step) throws IOException;
    }

    PullNews(Reply reply, Job.OnDisconnect onDisconnect, Step step) {
        this.reply = reply;
        this.onDisconnect = onDisconnect;
        this.step = step;
    }

    @Override
    public void heard(PullProgress heard) throws IOException {
        say(() -> step.say(heard));
    }

    @Override
    public void quiet() throws IOException {
        if (reply.rendition() != Rendition.TEXT) {
            say(() -> reply.frames().heartbeat(0));
        }
    }

    /// Says something to a client that may have left.
    void say(Saying saying) throws IOException {
        if (gone) {
            return;
        }
        try {
            saying.say();
            if (reply.isStreamed()) {
                reply.body().flush();
            }
        } catch (Streamed.ClientGone e) {
            if (onDisconnect == Job.OnDisconnect.KILL) {
                throw e;
            }
            gone = true;
        }
    }

    @FunctionalInterface
    interface Saying {
        void say() throws IOException;
    }
}
