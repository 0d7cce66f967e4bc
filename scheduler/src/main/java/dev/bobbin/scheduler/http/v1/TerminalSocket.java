package dev.bobbin.scheduler.http.v1;

import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.OutputSink;
import dev.bobbin.scheduler.http.exchange.Json;
import dev.bobbin.scheduler.http.exchange.JsonInput;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.http.exchange.Streamed.ClientGone;
import dev.bobbin.scheduler.http.terminal.Attention;
import dev.bobbin.scheduler.http.terminal.Keyboard;
import dev.bobbin.scheduler.http.terminal.WebSocket;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;

/// A job's terminal over a WebSocket. Binary messages are what it shows and what is typed; text messages are JSON:
/// `{type, at, …}` to the client, where `at` is the position behind the next binary message or behind what the message
/// says, and `{resize: {rows, columns}}` from it.
final class TerminalSocket {
    /// Short records of output go together, up to so many bytes.
    private static final int GATHERED = 16 * 1024;
    /// A client that does not answer pings for so long has gone.
    private static final Duration SIGN_OF_LIFE = Duration.ofSeconds(60);
    /// What a client has to answer that the WebSocket is closed.
    private static final Duration FAREWELL = Duration.ofSeconds(5);

    private static final System.Logger LOG = System.getLogger(TerminalSocket.class.getName());

    private final WebSocket socket;
    private final Execution job;
    private final boolean tied;
    private final Keyboard keyboard;
    private final Attention attention = new Attention();

    /// @param tied whether the job ends with its client
    TerminalSocket(WebSocket socket, Execution job, boolean tied) {
        this.socket = socket;
        this.job = job;
        this.tied = tied;
        this.keyboard = new Keyboard(job);
    }

    /// Serves the terminal on the calling thread, from a position in the journal on, until the job has ended or the
    /// client has gone.
    void serve(long from) throws InterruptedException, ClientGone {
        var listening = Thread.ofVirtual().name("terminal-" + job.id()).start(this::listen);
        try {
            if (attention.pay(() -> job.read(from, true, new Screen()))) {
                socket.close(WebSocket.NORMAL, "ended");
                var _ = listening.join(FAREWELL);
            } else {
                gone();
            }
        } catch (ClientGone e) {
            gone();
            throw e;
        } catch (InterruptedException e) {
            socket.close(WebSocket.GOING_AWAY, "the server is stopping");
            throw e;
        } catch (IOException e) {
            LOG.log(System.Logger.Level.ERROR, "read the output of job " + job.id(), e);
            socket.close(WebSocket.FAILED, "the output cannot be read");
        } finally {
            keyboard.leave();
        }
    }

    private void gone() {
        if (tied) {
            job.cancel("client");
        }
    }

    private void listen() {
        try {
            for (var message = socket.receive();
                    !(message instanceof WebSocket.Message.Closed);
                    message = socket.receive()) {
                switch (message) {
                    case WebSocket.Message.Binary(var keys) -> keyboard.type(keys);
                    case WebSocket.Message.Text(var text) -> control(text);
                    case WebSocket.Message.Closed _ -> {}
                }
            }
        } catch (ClientGone _) {
            // as good as closed
        }
        attention.end();
    }

    private void control(String text) throws ClientGone {
        try {
            JsonInput.readObject(
                    text.getBytes(StandardCharsets.UTF_8),
                    Set.of("resize"),
                    (_, value) -> job.resize(JobInput.terminal(value)));
        } catch (Rejected rejected) {
            refuse(rejected.problem());
        }
    }

    /// A wrong message changes nothing, and its sender is told what is wrong.
    private void refuse(Problem problem) throws ClientGone {
        socket.send(message("error", 0, json -> ImageJson.problem(json, problem)));
    }

    private static byte[] message(String type, long at, Json.Value content) {
        var json = Json.write(out -> {
            out.writeStartObject();
            out.writeStringField("type", type);
            out.writeNumberField("at", at);
            content.writeTo(out);
            out.writeEndObject();
        });
        return WebSocket.text(new String(json, StandardCharsets.UTF_8));
    }

    private final class Screen implements OutputSink {
        private final ByteArrayOutputStream gathered = new ByteArrayOutputStream();
        private long at;

        @Override
        public void accept(Output output) throws IOException {
            if (output instanceof Output.Bytes bytes) {
                gathered.writeBytes(bytes.copy());
                at = bytes.at();
                if (gathered.size() >= GATHERED) {
                    flush();
                }
                return;
            }
            flush();
            switch (output) {
                case Output.Bytes _, Output.Progress _ -> {}
                case Output.Started started ->
                    socket.send(message("started", started.at(), json -> FrameOutput.started(json, job, started)));
                case Output.Gap gap -> socket.send(message("gap", gap.at(), json -> FrameOutput.gap(json, gap)));
                case Output.Heartbeat _ -> ping();
                case Output.Ended ended ->
                    socket.send(message("ended", ended.at(), json -> FrameOutput.ended(json, job, ended)));
            }
        }

        private void ping() throws ClientGone {
            if (socket.quietNanos() > SIGN_OF_LIFE.toNanos()) {
                throw new ClientGone("it answers no pings");
            }
            socket.ping();
        }

        /// The position goes first: who has the message behind it has everything up to there.
        @Override
        public void flush() throws IOException {
            if (gathered.size() > 0) {
                socket.send(message("output", at, _ -> {}), WebSocket.binary(gathered.toByteArray()));
                gathered.reset();
            }
        }
    }
}
