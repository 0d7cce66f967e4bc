package dev.bobbin.image.store;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.TimeUnit;

/// A way to a server on loopback that lets few bytes through.
final class SlowPath implements AutoCloseable {
    private static final int PIECE = 16 * 1024;

    private final ServerSocket here = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final int to;
    private final long nanosPerPiece;

    /// @param bytesPerSecond of each connection, from the server
    SlowPath(int to, long bytesPerSecond) throws IOException {
        this.to = to;
        this.nanosPerPiece = PIECE * 1_000_000_000L / bytesPerSecond;
        Thread.ofVirtual().start(this::accept);
    }

    int port() {
        return here.getLocalPort();
    }

    private void accept() {
        while (!here.isClosed()) {
            try {
                var client = here.accept();
                var server = new Socket(InetAddress.getLoopbackAddress(), to);
                Thread.ofVirtual().start(() -> pass(client, server, 0));
                Thread.ofVirtual().start(() -> pass(server, client, nanosPerPiece));
            } catch (IOException _) {
                return; // closed
            }
        }
    }

    private static void pass(Socket from, Socket to, long nanosPerPiece) {
        try (from;
                to) {
            pass(from.getInputStream(), to.getOutputStream(), nanosPerPiece);
        } catch (IOException _) {
            // one of them has gone
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private static void pass(InputStream in, OutputStream out, long nanosPerPiece)
            throws IOException, InterruptedException {
        var piece = new byte[PIECE];
        for (var count = in.read(piece); count >= 0; count = in.read(piece)) {
            out.write(piece, 0, count);
            TimeUnit.NANOSECONDS.sleep(nanosPerPiece * count / PIECE);
        }
    }

    @Override
    public void close() throws IOException {
        here.close();
    }
}
