package dev.bobbin.scheduler.http.v1;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.bobbin.runner.FileEntry;
import dev.bobbin.runner.FilesException;
import dev.bobbin.runner.FilesException.Reason;
import dev.bobbin.runner.host.FileTree;
import dev.bobbin.runner.host.LastingSandbox;
import dev.bobbin.scheduler.dispatch.SandboxDirectory;
import dev.bobbin.scheduler.http.exchange.Exchange;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.http.exchange.Streamed;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/// The files of a sandbox. A path is the rest of the request's path behind `…/files`.
final class Files {
    private static final String BYTES = "application/octet-stream";
    private static final String TAR = "application/x-tar";
    private static final int USUAL_MODE = 0644;
    private static final int USUAL_DIRECTORY_MODE = 0755;

    private final SandboxDirectory sandboxes;

    Files(SandboxDirectory sandboxes) {
        this.sandboxes = sandboxes;
    }

    @FunctionalInterface
    private interface Work {
        void on(FileTree files) throws IOException, InterruptedException;
    }

    /// The bytes of a file, or of a part of it; the entries of a directory; with `?tar` an archive of either, with
    /// `?stat` what it is.
    void get(ServerRequest request, ServerResponse response) {
        var path = path(request);
        var sandbox = find(request);
        if (Jobs.flag(request, "stat")) {
            work(sandbox, files -> {
                var entry = files.look(path);
                JobAnswer.send(response, json -> write(json, entry));
            });
        } else if (Jobs.flag(request, "tar")) {
            send(sandbox, response, TAR, (files, to) -> files.archive(path, to));
        } else {
            var from = number(request, "from", 0);
            var count = number(request, "count", Long.MAX_VALUE);
            try {
                send(sandbox, response, BYTES, (files, to) -> files.read(path, from, count, to));
            } catch (IsDirectory _) {
                work(sandbox, files -> list(files.list(path), response));
            }
        }
    }

    /// Writes a file; with `?directory` makes a directory, with `?tar` puts what an archive holds into one.
    void put(ServerRequest request, ServerResponse response) {
        var path = path(request);
        var sandbox = find(request);
        var most = sandbox.limits().diskBytes();
        if (request.headers().contentLength().orElse(0) > most) {
            throw new Rejected(new Problem(
                    413, "too_large", "limits.disk: the sandbox has room for " + most + " bytes", "limits.disk", 0));
        }
        if (Jobs.flag(request, "directory")) {
            work(sandbox, files -> files.makeDirectory(path, mode(request, USUAL_DIRECTORY_MODE)));
        } else if (Jobs.flag(request, "tar")) {
            work(sandbox, files -> files.unpack(path, content(request)));
        } else {
            work(sandbox, files -> files.write(path, mode(request, USUAL_MODE), content(request)));
        }
        response.status(Status.NO_CONTENT_204).send();
    }

    /// Deletes a file or an empty directory; with `?recursive` a directory with everything in it.
    void delete(ServerRequest request, ServerResponse response) {
        var path = path(request);
        if (Jobs.flag(request, "recursive")) {
            work(find(request), files -> files.deleteTree(path));
        } else {
            work(find(request), files -> files.delete(path));
        }
        response.status(Status.NO_CONTENT_204).send();
    }

    private LastingSandbox find(ServerRequest request) {
        return Sandboxes.find(sandboxes, request.path().pathParameters().get("id"), Exchange.caller(request));
    }

    private static void work(LastingSandbox sandbox, Work work) {
        try {
            work.on(sandbox.files());
        } catch (FilesException e) {
            throw new Rejected(problem(e));
        } catch (IOException e) {
            throw new CloseConnectionException("the client has gone", e);
        } catch (InterruptedException e) {
            throw new CloseConnectionException("the server is stopping", e);
        }
    }

    @FunctionalInterface
    private interface Reading {
        void to(FileTree files, OutputStream to) throws IOException, InterruptedException;
    }

    /// Sends what is read as it comes. What cannot be read has its own answer as long as nothing was sent.
    private static void send(LastingSandbox sandbox, ServerResponse response, String type, Reading reading) {
        var body = new Body(response, type);
        work(sandbox, files -> {
            try {
                reading.to(files, body);
            } catch (FilesException e) {
                if (body.isBegun()) {
                    throw new CloseConnectionException("half a file must not look whole", e);
                }
                if (e.reason() == Reason.IS_A_DIRECTORY) {
                    throw new IsDirectory();
                }
                throw e;
            }
            body.end();
        });
    }

    private static void list(List<FileEntry> entries, ServerResponse response) {
        JobAnswer.send(response, json -> {
            json.writeStartObject();
            json.writeArrayFieldStart("items");
            for (var entry : entries.stream()
                    .sorted(Comparator.comparing(FileEntry::name))
                    .toList()) {
                write(json, entry);
            }
            json.writeEndArray();
            json.writeNullField("next_cursor");
            json.writeEndObject();
        });
    }

    private static void write(JsonGenerator json, FileEntry entry) throws IOException {
        json.writeStartObject();
        json.writeStringField("name", entry.name());
        json.writeStringField("kind", entry.kind().name().toLowerCase(Locale.ROOT));
        json.writeStringField("mode", String.format("%04o", entry.mode() & 07777));
        json.writeNumberField("uid", entry.uid());
        json.writeNumberField("gid", entry.gid());
        json.writeNumberField("size", entry.size());
        json.writeStringField("modified_at", entry.modified().toString());
        if (entry.target() != null) {
            json.writeStringField("target", entry.target());
        }
        json.writeEndObject();
    }

    private static Problem problem(FilesException failure) {
        var detail = String.valueOf(failure.getMessage());
        return switch (failure.reason()) {
            case NOT_FOUND -> new Problem(404, "file_not_found", detail, "path", 0);
            case EXISTS -> new Problem(409, "file_exists", detail, "path", 0);
            case NOT_A_DIRECTORY -> new Problem(409, "not_a_directory", detail, "path", 0);
            case IS_A_DIRECTORY -> new Problem(409, "is_a_directory", detail, "path", 0);
            case NOT_EMPTY -> new Problem(409, "not_empty", detail, "path", 0);
            case INVALID -> Problem.invalid("path", detail);
            case FORBIDDEN -> new Problem(403, "forbidden", detail, "path", 0);
            case NO_SPACE -> new Problem(413, "too_large", detail, "limits.disk", 0);
            case UNAVAILABLE -> new Problem(409, "sandbox_unavailable", detail, "sandbox", 1);
        };
    }

    /// The rest of the path, from its slash on.
    private static String path(ServerRequest request) {
        var path = request.path().path();
        var id = path.indexOf('/', "/v1/sandboxes/".length());
        return path.substring(id + "/files".length());
    }

    private static InputStream content(ServerRequest request) {
        return request.content().hasEntity() ? request.content().inputStream() : InputStream.nullInputStream();
    }

    private static long number(ServerRequest request, String name, long usual) {
        return Jobs.query(request, name).map(text -> Jobs.number(name, text)).orElse(usual);
    }

    private static int mode(ServerRequest request, int usual) {
        var text = Jobs.query(request, "mode");
        if (text.isPresent() && !text.get().matches("0?[0-7]{3}")) {
            throw Rejected.invalid("mode", "mode: must be octal permissions such as 0644");
        }
        return text.map(octal -> Integer.parseInt(octal, 8)).orElse(usual);
    }

    /// What was to be read as a file is a directory.
    private static final class IsDirectory extends RuntimeException {
        private static final long serialVersionUID = 1;

        IsDirectory() {
            super("is a directory", null, false, false);
        }
    }

    /// The body of an answer, whose head leaves with the first byte.
    private static final class Body extends OutputStream {
        private final ServerResponse response;
        private final String type;
        private final Streamed out;
        private boolean begun;

        Body(ServerResponse response, String type) {
            this.response = response;
            this.type = type;
            this.out = new Streamed(response);
        }

        boolean isBegun() {
            return begun;
        }

        @Override
        public void write(int octet) throws IOException {
            write(new byte[] {(byte) octet}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            begin();
            out.write(bytes, offset, length);
        }

        void end() throws IOException {
            begin();
            out.open();
            out.finish();
        }

        private void begin() {
            if (!begun) {
                begun = true;
                response.header(HeaderNames.CONTENT_TYPE, type);
            }
        }
    }
}
