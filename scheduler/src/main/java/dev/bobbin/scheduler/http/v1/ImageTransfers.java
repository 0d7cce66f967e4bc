package dev.bobbin.scheduler.http.v1;

import dev.bobbin.image.ArchiveFormat;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.PullProgress;
import dev.bobbin.image.store.Image;
import dev.bobbin.scheduler.dispatch.ImageDirectory;
import dev.bobbin.scheduler.http.exchange.Accept;
import dev.bobbin.scheduler.http.exchange.Body;
import dev.bobbin.scheduler.http.exchange.Disconnects;
import dev.bobbin.scheduler.http.exchange.Exchange;
import dev.bobbin.scheduler.http.exchange.Json;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.http.exchange.Transfer;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Images on their way: from and to registries, as archives in request bodies and answers. An archive is never held,
/// and never a path on this server.
final class ImageTransfers {
    private static final System.Logger LOG = System.getLogger(ImageTransfers.class.getName());
    private static final String TAR = "application/x-tar";

    private final ImageDirectory images;
    private final Disconnects disconnects;

    ImageTransfers(ImageDirectory images, Disconnects disconnects) {
        this.images = images;
        this.disconnects = disconnects;
    }

    void pull(ServerRequest request, ServerResponse response) {
        var asked = ImageRequest.read(Body.read(request, Images.LARGEST_REQUEST), ImageRequest.PULL);
        var reference = asked.image();
        var caller = Images.allowed(Exchange.caller(request), asked.whose());
        transfer(
                request,
                response,
                progress -> images.pull(
                        reference,
                        asked.policy(),
                        asked.platform(),
                        asked.credentials(),
                        caller,
                        asked.whose(),
                        progress),
                image -> json -> ImageJson.item(json, image));
    }

    void push(ServerRequest request, ServerResponse response) {
        var asked = ImageRequest.read(Body.read(request, Images.LARGEST_REQUEST), ImageRequest.PUSH);
        var from = asked.image();
        var to = asked.to();
        var caller = Exchange.caller(request);
        transfer(
                request,
                response,
                progress -> images.push(from, to, asked.credentials(), caller, progress),
                pushed -> json -> {
                    json.writeStartObject();
                    json.writeStringField("name", to.text());
                    json.writeStringField("digest", pushed.digest().text());
                    json.writeStringField("platform", pushed.platform().toString());
                    json.writeNumberField("platforms", pushed.platforms());
                    json.writeEndObject();
                });
    }

    void load(ServerRequest request, ServerResponse response) {
        var whose = Images.whose(request);
        var caller = Images.allowed(Exchange.caller(request), whose);
        if (!request.content().hasEntity()) {
            throw Rejected.invalid(null, "the body must be a tar archive of images");
        }
        List<Image> loaded;
        try {
            var in = request.content().inputStream();
            loaded = images.load(in, caller, whose);
            Body.passOver(in);
        } catch (IOException | UncheckedIOException e) {
            throw new CloseConnectionException("the archive was cut off", e);
        }
        JobAnswer.send(response, json -> {
            json.writeStartObject();
            json.writeArrayFieldStart("items");
            for (var image : loaded) {
                ImageJson.item(json, image);
            }
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    void save(ServerRequest request, ServerResponse response) {
        var names = request.query().all("name", List::of).stream()
                .map(text -> Images.reference("name", text))
                .toList();
        if (names.isEmpty()) {
            throw Rejected.invalid("name", "name: say which image, as often as there are images");
        }
        var format = switch (Jobs.query(request, "format").orElse("oci")) {
            case "oci" -> ArchiveFormat.OCI;
            case "docker" -> ArchiveFormat.DOCKER;
            default -> throw Rejected.invalid("format", "format: must be oci or docker");
        };
        var out = new Begun(response);
        try {
            images.save(names, format, Exchange.caller(request), out);
            out.finish();
        } catch (ImageException e) {
            if (!out.begun()) {
                throw e;
            }
            LOG.log(System.Logger.Level.ERROR, "save " + names, e);
            throw new CloseConnectionException("the archive cannot be completed", e);
        } catch (IOException | UncheckedIOException e) {
            throw new CloseConnectionException("the client has gone", e);
        }
    }

    private <T> void transfer(
            ServerRequest request, ServerResponse response, Transfer.Work<T> work, Function<T, Json.Value> result) {
        var rendition = rendition(request);
        try (var reply = new Reply(response, rendition, disconnects)) {
            reply.watch(Thread.currentThread()::interrupt);
            if (rendition == Rendition.JSON) {
                JobAnswer.send(response, result.apply(work.with(_ -> {})));
            } else {
                tell(reply, work, result);
            }
        } catch (InterruptedException | CancellationException e) {
            throw new CloseConnectionException("nobody waits for the answer, or the server is stopping", e);
        } catch (IOException e) {
            throw new CloseConnectionException("the client has gone", e);
        }
    }

    private static <T> void tell(Reply reply, Transfer.Work<T> work, Function<T, Json.Value> result)
            throws IOException, InterruptedException {
        var frames = reply.frames();
        reply.body().open();
        try {
            var value = Transfer.follow(work, new Telling(frames));
            frames.send("ended", 0, json -> {
                json.writeFieldName("image");
                result.apply(value).writeTo(json);
            });
        } catch (ImageException e) {
            frames.send("ended", 0, json -> ImageJson.problem(json, Problem.of(e)));
        }
        reply.body().finish();
    }

    private record Telling(Frames frames) implements Transfer.Listener {
        @Override
        public void heard(PullProgress step) throws IOException {
            frames.send("progress", 0, json -> ImageJson.progress(json, step));
            frames.flush();
        }

        @Override
        public void quiet() throws IOException {
            frames.heartbeat(0);
            frames.flush();
        }
    }

    private static Rendition rendition(ServerRequest request) {
        var offered = List.of(Rendition.JSON, Rendition.NDJSON, Rendition.SSE);
        var chosen = Accept.choose(
                request.headers().all(HeaderNames.ACCEPT, List::of),
                offered.stream().map(Rendition::type).toList());
        return chosen.flatMap(type -> offered.stream()
                        .filter(each -> each.type().equals(type))
                        .findFirst())
                .orElseThrow(() -> new Rejected(new Problem(
                        406,
                        "not_acceptable",
                        "Accept: this answers application/json, application/x-ndjson and text/event-stream",
                        "Accept",
                        0)));
    }

    /// An answer that begins with its first byte; before it there may still be a refusal.
    private static final class Begun extends OutputStream {
        private final ServerResponse response;
        private @Nullable OutputStream out;

        Begun(ServerResponse response) {
            this.response = response;
        }

        boolean begun() {
            return out != null;
        }

        @Override
        public void write(int octet) throws IOException {
            write(new byte[] {(byte) octet}, 0, 1);
        }

        @Override
        public void write(byte[] data, int offset, int length) throws IOException {
            if (out == null) {
                response.header(HeaderNames.CONTENT_TYPE, TAR);
                out = response.outputStream();
            }
            out.write(data, offset, length);
        }

        /// Not before the archive is whole: a client must see the difference.
        @Override
        public void close() {}

        void finish() throws IOException {
            if (out != null) {
                out.close();
            }
        }
    }
}
