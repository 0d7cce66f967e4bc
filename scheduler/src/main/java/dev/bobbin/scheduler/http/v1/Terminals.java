package dev.bobbin.scheduler.http.v1;

import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Job;
import dev.bobbin.scheduler.http.exchange.Exchange;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.http.exchange.Takeovers;
import dev.bobbin.scheduler.http.terminal.RawTerminal;
import dev.bobbin.scheduler.http.terminal.WebSocket;
import dev.bobbin.scheduler.tenant.Scope;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Terminals of jobs, over connections that leave HTTP: a WebSocket, or raw bytes both ways.
final class Terminals {
    private static final String OCTETS = "application/octet-stream";
    private static final String SWITCHING = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: tcp\r\n"
            + "Connection: Upgrade\r\nContent-Type: " + OCTETS + "\r\n";
    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Type: " + OCTETS + "\r\n";

    private final Takeovers takeovers;

    Terminals(Takeovers takeovers) {
        this.takeovers = takeovers;
    }

    /// How a terminal was asked for: the head of the answer, and whether a WebSocket comes behind it.
    record Asked(String head, boolean webSocket) {}

    /// Of a request that only attaches: it has no body, and an answer without an upgrade would be of no use to it.
    static Asked attaching(ServerRequest request) {
        var webSocket = WebSocket.isAsked(request);
        if (!webSocket && !isRaw(request)) {
            throw new Rejected(new Problem(
                    426, "upgrade_required", "Upgrade: this answers WebSockets, and \"Upgrade: tcp\" with raw bytes"));
        }
        if (request.content().hasEntity()) {
            throw Rejected.invalid(null, "a terminal is asked for without a body");
        }
        if (!Exchange.caller(request).may(Scope.RUN)) {
            throw new Rejected(
                    new Problem(403, "forbidden", "this token may not use a terminal; it lacks the scope run"));
        }
        return webSocket ? new Asked(WebSocket.accept(request), true) : new Asked(SWITCHING, false);
    }

    /// Of a request that starts a job: bytes behind an answer that says that the protocol changes, or an answer of
    /// bytes without an end for clients that know nothing of upgrades; nothing if another answer is wanted.
    static Optional<Asked> starting(ServerRequest request) {
        if (isRaw(request)) {
            return Optional.of(new Asked(SWITCHING, false));
        }
        var accepted = request.headers().all(HeaderNames.ACCEPT, List::of);
        return accepted.stream().anyMatch(value -> value.strip().equals(OCTETS))
                ? Optional.of(new Asked(OK, false))
                : Optional.empty();
    }

    private static boolean isRaw(ServerRequest request) {
        return request.headers()
                .first(HeaderNames.UPGRADE)
                .filter(value -> value.strip().toLowerCase(Locale.ROOT).equals("tcp"))
                .isPresent();
    }

    /// Lets a viewer in, whose leaving concerns nobody else.
    CloseConnectionException attach(Execution job, Asked asked, ServerRequest request, ServerResponse response) {
        if (!job.hasTerminal()) {
            throw new Rejected(new Problem(
                    409, "no_terminal", "terminal: the job has none; GET /v1/jobs/" + job.id() + "/output shows it"));
        }
        return serve(job, from(job, request), asked, false, response);
    }

    /// Answers whoever started the job with its terminal.
    CloseConnectionException started(Execution job, Asked asked, ServerResponse response) {
        return serve(job, 0, asked, job.onDisconnect() == Job.OnDisconnect.KILL, response);
    }

    private CloseConnectionException serve(
            Execution job, long from, Asked asked, boolean tied, ServerResponse response) {
        var head = asked.head() + JobAnswer.JOB_ID.defaultCase() + ": " + job.id() + "\r\nLocation: /v1/jobs/"
                + job.id() + "\r\nX-Content-Type-Options: nosniff\r\n";
        return takeovers.take(response, head, connection -> {
            if (asked.webSocket()) {
                new TerminalSocket(new WebSocket(connection), job, tied).serve(from);
            } else {
                RawTerminal.serve(connection, job, from, tied, _ -> new byte[0]);
            }
        });
    }

    /// `?from=` a position, or `end` for what comes next.
    private static long from(Execution job, ServerRequest request) {
        var text = Jobs.query(request, "from").orElse("0");
        if (text.equals("end")) {
            return job.position();
        }
        var from = Jobs.number("from", text);
        try {
            job.read(from, false, _ -> {
                throw new Enough();
            });
        } catch (IllegalArgumentException e) {
            throw Rejected.invalid("from", String.valueOf(e.getMessage()));
        } catch (Enough _) {
            // there is something at this position
        } catch (IOException e) {
            throw new IllegalStateException("read the output of job " + job.id(), e);
        } catch (InterruptedException e) {
            throw new CloseConnectionException("the server is stopping", e);
        }
        return from;
    }

    /// Ends a reading that only asks whether it can begin.
    private static final class Enough extends IOException {
        Enough() {
            super("enough");
        }
    }
}
