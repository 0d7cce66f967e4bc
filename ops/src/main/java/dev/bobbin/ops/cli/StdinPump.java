package dev.bobbin.ops.cli;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;

/// Sends our standard input to a job, each piece with its position, over a connection of its own. Ends with the input
/// or with the job, whichever is first; nobody waits for it, so its thread is a daemon.
final class StdinPump {
    private static final int PIECE = 64 * 1024;

    private final HttpConnection connection;
    private final String path;
    private long position;

    private StdinPump(HttpConnection connection, String path) {
        this.connection = connection;
        this.path = path;
    }

    static void start(Path socket, String jobId) {
        // A platform thread: reading a terminal or a pipe holds it.
        Thread.ofPlatform().daemon().name("bobbin-stdin").start(() -> {
            try (var connection = HttpConnection.connect(socket);
                    var in = new FileInputStream(FileDescriptor.in)) {
                new StdinPump(connection, "/v1/jobs/" + jobId + "/stdin?at=").pump(in);
            } catch (IOException _) {
                // the job has ended, or the server: the output's connection tells which
            }
        });
    }

    private void pump(FileInputStream in) throws IOException {
        var buffer = new byte[PIECE];
        for (var count = in.read(buffer); count >= 0; count = in.read(buffer)) {
            send(Arrays.copyOf(buffer, count), "");
            position += count;
        }
        send(new byte[0], "&eof");
    }

    private void send(byte[] piece, String end) throws IOException {
        var answer = connection.post(path + position + end, "application/octet-stream", "application/json", piece);
        var text = answer.text();
        if (answer.status() >= 300) {
            throw new IOException(text);
        }
    }
}
