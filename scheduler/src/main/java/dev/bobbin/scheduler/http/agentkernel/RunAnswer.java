package dev.bobbin.scheduler.http.agentkernel;

import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.OutputSink;
import dev.bobbin.scheduler.http.exchange.Json;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerResponse;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/// The answer to `POST /run`: what the command printed, first standard output, then standard error.
final class RunAnswer implements OutputSink {
    private static final int MOST = 1024 * 1024;

    private final ByteArrayOutputStream stdout = new ByteArrayOutputStream(0);
    private final ByteArrayOutputStream stderr = new ByteArrayOutputStream(0);
    private boolean truncated;

    @Override
    public void accept(Output output) {
        if (output instanceof Output.Bytes bytes) {
            var stream = bytes.stream() == Output.Stream.STDOUT ? stdout : stderr;
            var length = Math.min(bytes.length(), MOST - stream.size());
            stream.write(bytes.copy(), 0, length);
            truncated |= length < bytes.length();
        }
    }

    void send(Outcome outcome, ServerResponse response) {
        switch (outcome) {
            case Outcome.Exited exited when exited.code() == 0 -> succeeded(response);
            case Outcome.Exited _ -> failed("exited with code " + outcome.exitCode(), outcome, response);
            case Outcome.Killed killed -> failed("was killed by signal " + killed.signal(), outcome, response);
            case Outcome.OutOfMemory _ -> failed("ran out of memory", outcome, response);
            case Outcome.TimedOut _ -> failed("timed out", outcome, response);
            case Outcome.OutputLimit _ -> failed("wrote more than its output limit", outcome, response);
            case Outcome.Cancelled _ -> failed("was cancelled", outcome, response);
            case Outcome.HostLost _ -> failed("was lost with its host", outcome, response);
            case Outcome.ImageError image -> broken(image.detail(), response);
            case Outcome.SandboxError sandbox -> broken(sandbox.detail(), response);
        }
    }

    private void succeeded(ServerResponse response) {
        send(response, 200, json -> {
            json.writeStartObject();
            json.writeBooleanField("success", true);
            json.writeObjectFieldStart("data");
            json.writeStringField("output", output());
            if (truncated) {
                json.writeBooleanField("truncated", true);
            }
            json.writeEndObject();
            json.writeEndObject();
        });
    }

    private void failed(String how, Outcome outcome, ServerResponse response) {
        var output = output();
        send(response, 409, json -> {
            json.writeStartObject();
            json.writeBooleanField("success", false);
            json.writeStringField("error", "Command " + how + ": " + output);
            json.writeNumberField("exit_code", outcome.exitCode());
            json.writeStringField("output", output);
            if (truncated) {
                json.writeBooleanField("truncated", true);
            }
            json.writeEndObject();
        });
    }

    private static void broken(String detail, ServerResponse response) {
        error(response, 500, detail);
    }

    static void error(ServerResponse response, int status, String error) {
        send(response, status, json -> {
            json.writeStartObject();
            json.writeBooleanField("success", false);
            json.writeStringField("error", error);
            json.writeEndObject();
        });
    }

    static void send(ServerResponse response, int status, Json.Value body) {
        response.header(HeaderNames.CONTENT_TYPE, "application/json");
        response.status(Status.create(status)).send(Json.write(body));
    }

    private String output() {
        var first = stdout.toString(StandardCharsets.UTF_8);
        var second = stderr.toString(StandardCharsets.UTF_8);
        return first.isEmpty() || second.isEmpty() ? first + second : first + "\n" + second;
    }
}
