package dev.bobbin.scheduler.http.minibox;

import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.OutputSink;
import dev.bobbin.scheduler.http.exchange.ByteRange;
import dev.bobbin.scheduler.http.exchange.Disconnects;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.http.exchange.Streamed;
import io.helidon.http.DateTime;
import io.helidon.http.HeaderNames;
import io.helidon.http.Method;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// What a container printed in the run that is now or was the last: `GET /containers/logs`, as a file of what is there
/// now, or with `follow=1` as it comes until the run ends.
final class Logs {
    private final Containers containers;
    private final Disconnects disconnects;

    Logs(Containers containers, Disconnects disconnects) {
        this.containers = containers;
        this.disconnects = disconnects;
    }

    void logs(ServerRequest request, ServerResponse response) throws InterruptedException {
        var container = containers.required(request, "missing id");
        var follow = Plain.query(request, "follow").equals("1");
        var run = container.own();
        if (run.isEmpty() && follow) {
            throw Plain.failed("failed to open log");
        }
        response.header(HeaderNames.CONTENT_TYPE, Plain.TEXT);
        try {
            if (run.isEmpty()) {
                file(Size.NOTHING, container.createdAt(), request, response);
            } else if (follow && !request.prologue().method().equals(Method.HEAD)) {
                follow(run.get(), response);
            } else {
                file(run.get(), container.createdAt(), request, response);
            }
        } catch (IOException e) {
            throw new CloseConnectionException("the output cannot be sent", e);
        }
    }

    private void follow(Execution run, ServerResponse response) throws IOException, InterruptedException {
        var body = new Streamed(response);
        var reader = Thread.currentThread();
        try (var _ = disconnects.watch(response, reader::interrupt)) {
            body.open();
            run.read(0, true, new Bytes(body));
            body.finish();
        }
    }

    private static void file(Execution run, Instant created, ServerRequest request, ServerResponse response)
            throws IOException, InterruptedException {
        var size = new Size();
        run.read(0, false, size);
        var part = file(size, created, request, response);
        if (part.isPresent()) {
            try (var out = response.outputStream()) {
                var copy = new Part(out, part.get());
                run.read(0, false, copy);
                if (copy.left > 0) {
                    throw new CloseConnectionException("output was let go of meanwhile");
                }
            } catch (Enough _) {
                // all of it was sent
            }
        }
    }

    /// Says how much there is.
    ///
    /// @return what of it is still to be sent, nothing if none
    private static Optional<ByteRange> file(
            Size size, Instant created, ServerRequest request, ServerResponse response) {
        var modified = size.changed(created);
        response.header(HeaderNames.ACCEPT_RANGES, "bytes");
        response.header(HeaderNames.LAST_MODIFIED, modified.format(DateTime.RFC_1123_DATE_TIME));
        if (isKnown(request, modified)) {
            response.status(Status.NOT_MODIFIED_304).send();
            return Optional.empty();
        }
        var part = new ByteRange(0, size.bytes - 1);
        var header = request.headers().first(HeaderNames.RANGE).filter(ByteRange::asks);
        if (header.isPresent()) {
            part = ByteRange.of(header.get(), size.bytes).orElseThrow(() -> {
                response.header(HeaderNames.CONTENT_RANGE, "bytes */" + size.bytes);
                return new Rejected(new Problem(416, "range", "invalid range: failed to overlap"));
            });
            response.header(HeaderNames.CONTENT_RANGE, "bytes " + part.first() + "-" + part.last() + "/" + size.bytes);
            response.status(Status.PARTIAL_CONTENT_206);
        }
        response.contentLength(part.length());
        if (part.length() == 0 || request.prologue().method().equals(Method.HEAD)) {
            response.send();
            return Optional.empty();
        }
        return Optional.of(part);
    }

    private static boolean isKnown(ServerRequest request, ZonedDateTime modified) {
        try {
            return request.headers()
                    .first(HeaderNames.IF_MODIFIED_SINCE)
                    .filter(since -> !modified.isAfter(DateTime.parse(since)))
                    .isPresent();
        } catch (DateTimeParseException _) {
            return false;
        }
    }

    /// How much was printed, and when last.
    private static final class Size implements OutputSink {
        static final Size NOTHING = new Size();

        private long bytes;
        private long nanos;

        @Override
        public void accept(Output output) {
            if (output instanceof Output.Bytes more) {
                bytes += more.length();
                nanos = more.timeNanos();
            }
        }

        ZonedDateTime changed(Instant created) {
            var at = nanos == 0 ? created : Instant.ofEpochSecond(TimeUnit.NANOSECONDS.toSeconds(nanos));
            return at.truncatedTo(ChronoUnit.SECONDS).atZone(ZoneOffset.UTC);
        }
    }

    /// Copies a part of what was printed.
    private static final class Part implements OutputSink {
        private final OutputStream out;
        private long skip;
        private long left;

        Part(OutputStream out, ByteRange part) {
            this.out = out;
            this.skip = part.first();
            this.left = part.length();
        }

        @Override
        public void accept(Output output) throws IOException {
            if (!(output instanceof Output.Bytes bytes)) {
                return;
            }
            var data = bytes.copy();
            var from = (int) Math.min(skip, data.length);
            var length = (int) Math.min(left, data.length - from);
            out.write(data, from, length);
            skip -= from;
            left -= length;
            if (left == 0) {
                throw new Enough();
            }
        }
    }

    private static final class Enough extends IOException {
        Enough() {
            super("enough");
        }
    }
}
