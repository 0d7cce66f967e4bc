package dev.bobbin.scheduler.http.v1;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.bobbin.runner.SandboxEvent;
import dev.bobbin.runner.host.SandboxEvents;
import dev.bobbin.scheduler.dispatch.SandboxDirectory;
import dev.bobbin.scheduler.http.exchange.Exchange;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.http.exchange.Streamed;
import dev.bobbin.scheduler.tenant.Caller;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/// What becomes of sandboxes, numbered: a list of what is known, or a stream that goes on.
final class Events {
    private static final long HEARTBEAT_SECONDS = 10;

    private final SandboxDirectory sandboxes;
    private final JobAnswer answers;

    Events(SandboxDirectory sandboxes, JobAnswer answers) {
        this.sandboxes = sandboxes;
        this.answers = answers;
    }

    /// A stream begins behind the event that the client names, else with what comes next.
    void events(ServerRequest request, ServerResponse response) {
        var rendition = Rendition.of(request, Rendition.SSE);
        var caller = Exchange.caller(request);
        var last = sandboxes.lastEvent();
        var named = JobAnswer.Part.position(request, rendition);
        if (named.isPresent() && named.get() > last) {
            throw Rejected.invalid("from", "from: the latest event has the number " + last);
        }
        switch (rendition) {
            case JSON, TEXT -> list(caller, named.orElse(0L), response);
            case NDJSON, SSE -> follow(caller, named.orElse(last), answers.reply(rendition, response));
        }
    }

    private void list(Caller caller, long after, ServerResponse response) {
        var known = new ArrayList<SandboxEvent>();
        try {
            sandboxes.readEvents(caller, after, false, new SandboxEvents.Sink() {
                @Override
                public void event(SandboxEvent event) {
                    known.add(event);
                }

                @Override
                public void lost() {
                    // numbers tell it
                }
            });
        } catch (InterruptedException | IOException e) {
            throw new CloseConnectionException("the server is stopping", e);
        }
        JobAnswer.send(response, json -> {
            json.writeStartObject();
            json.writeArrayFieldStart("items");
            for (var event : known) {
                json.writeStartObject();
                json.writeNumberField("at", event.number());
                write(json, event);
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeNullField("next_cursor");
            json.writeEndObject();
        });
    }

    private void follow(Caller caller, long after, Reply reply) {
        try (reply) {
            reply.body().open();
            reply.watch(Thread.currentThread()::interrupt);
            var telling = new Telling(reply.frames(), after);
            var beating = Thread.ofVirtual().name("heartbeat").start(telling.beating(Thread.currentThread()));
            try {
                sandboxes.readEvents(caller, after, true, telling);
            } finally {
                beating.interrupt();
            }
        } catch (Streamed.ClientGone e) {
            throw new CloseConnectionException("the client has gone", e);
        } catch (InterruptedException e) {
            throw new CloseConnectionException("nobody reads, or the server is stopping", e);
        } catch (IOException e) {
            throw new IllegalStateException("write JSON", e);
        }
    }

    private static void write(JsonGenerator json, SandboxEvent event) throws IOException {
        json.writeStringField("time", event.at().toString());
        json.writeStringField("sandbox", event.sandbox().toString());
        if (event.name() != null) {
            json.writeStringField("name", event.name());
        }
        json.writeStringField("change", event.change().name().toLowerCase(Locale.ROOT));
        if (event.detail() != null) {
            json.writeStringField("detail", event.detail());
        }
    }

    /// Writes frames, and heartbeats between them from a thread of their own.
    private static final class Telling implements SandboxEvents.Sink {
        private final Frames frames;
        private final ReentrantLock lock = new ReentrantLock();
        private long at;

        Telling(Frames frames, long at) {
            this.frames = frames;
            this.at = at;
        }

        @Override
        public void event(SandboxEvent event) throws IOException {
            at = event.number();
            send(() -> frames.send("sandbox", event.number(), json -> write(json, event)));
        }

        @Override
        public void lost() throws IOException {
            send(() -> frames.send("gap", at, _ -> {}));
        }

        private void send(Writing writing) throws IOException {
            lock.lock();
            try {
                writing.write();
                frames.flush();
            } finally {
                lock.unlock();
            }
        }

        Runnable beating(Thread reader) {
            var never = new CountDownLatch(1);
            return () -> {
                try {
                    while (!never.await(HEARTBEAT_SECONDS, TimeUnit.SECONDS)) {
                        send(() -> frames.heartbeat(at));
                    }
                } catch (InterruptedException _) {
                    // the stream is over
                } catch (IOException _) {
                    reader.interrupt();
                }
            };
        }
    }

    @FunctionalInterface
    private interface Writing {
        void write() throws IOException;
    }
}
