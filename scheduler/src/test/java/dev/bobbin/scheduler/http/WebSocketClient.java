package dev.bobbin.scheduler.http;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A client that sees and sends every frame of a WebSocket, or every byte of a raw stream, also wrong ones.
public final class WebSocketClient implements AutoCloseable {
    private static final byte[] MASK = {1, 2, 3, 4};
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final SocketChannel channel;
    private final Thread watchdog;

    /// What the server answered to the request.
    public int status;

    public Map<String, String> headers = Map.of();
    /// The `at` that counts: of the last binary message that came whole, or of what was said since.
    public long at;

    private long announced;
    private final StringBuilder shown = new StringBuilder();
    private final List<String> texts = new ArrayList<>();
    private int closeCode = -1;

    public WebSocketClient(SocketAddress address) throws IOException {
        channel = SocketChannel.open(address);
        watchdog = Thread.ofVirtual().start(() -> {
            try {
                Thread.sleep(PATIENCE);
                channel.close();
            } catch (InterruptedException | IOException _) {
                // over
            }
        });
    }

    /// Asks for `path` with these headers.
    public WebSocketClient ask(String request) throws IOException {
        send(request.getBytes(StandardCharsets.UTF_8));
        status = Integer.parseInt(line().split(" ", 3)[1]);
        var all = new LinkedHashMap<String, String>();
        for (var line = line(); !line.isEmpty(); line = line()) {
            var colon = line.indexOf(':');
            all.put(
                    line.substring(0, colon).toLowerCase(Locale.ROOT),
                    line.substring(colon + 1).strip());
        }
        headers = all;
        return this;
    }

    public WebSocketClient upgrade(String path, String... more) throws IOException {
        return ask(TestServer.head("GET", path, more) + "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    }

    public ByteChannel channel() {
        return channel;
    }

    public void send(byte[] bytes) throws IOException {
        for (var left = ByteBuffer.wrap(bytes); left.hasRemaining(); ) {
            channel.write(left);
        }
    }

    public void text(String text) throws IOException {
        send(frame(0x81, text.getBytes(StandardCharsets.UTF_8)));
    }

    public void type(String keys) throws IOException {
        send(frame(0x82, keys.getBytes(StandardCharsets.UTF_8)));
    }

    public void sendClose(int code) throws IOException {
        send(frame(0x88, new byte[] {(byte) (code >> 8), (byte) code}));
    }

    /// A masked frame.
    public static byte[] frame(int first, byte[] payload) {
        var out = new ByteArrayOutputStream();
        out.write(first);
        if (payload.length < 126) {
            out.write(0x80 | payload.length);
        } else if (payload.length < 0x10000) {
            out.write(0x80 | 126);
            out.write(payload.length >> 8);
            out.write(payload.length);
        } else {
            out.write(0x80 | 127);
            out.writeBytes(ByteBuffer.allocate(8).putLong(payload.length).array());
        }
        out.writeBytes(MASK);
        for (var index = 0; index < payload.length; index++) {
            out.write(payload[index] ^ MASK[index % 4]);
        }
        return out.toByteArray();
    }

    /// Reads until the terminal has shown `text`.
    public String await(String text) throws IOException {
        while (shown.indexOf(text) < 0) {
            if (!receive()) {
                throw new EOFException("closed with " + closeCode + " before \"" + text + "\": " + shown + texts);
            }
        }
        return shown.toString();
    }

    /// Reads until a text message has `part` in it.
    public String awaitText(String part) throws IOException {
        while (true) {
            for (var text : texts) {
                if (text.contains(part)) {
                    return text;
                }
            }
            if (!receive()) {
                throw new EOFException("closed with " + closeCode + " before " + part + ": " + shown + texts);
            }
        }
    }

    /// Reads to the end, and gives the code with which the server closed; -1 if it closed without one.
    public int awaitClose() throws IOException {
        while (receive()) {
            // all of it
        }
        return closeCode;
    }

    public String shown() {
        return shown.toString();
    }

    public List<String> texts() {
        return texts;
    }

    /// Takes one frame; false at the end.
    public boolean receive() throws IOException {
        byte @Nullable [] head;
        try {
            head = read(2);
        } catch (EOFException _) {
            return false;
        }
        var length = (long) (head[1] & 0x7f);
        if (length >= 126) {
            length = length == 126
                    ? ByteBuffer.wrap(read(2)).getShort() & 0xffff
                    : ByteBuffer.wrap(read(8)).getLong();
        }
        var payload = read((int) length);
        switch (head[0] & 0xff) {
            case 0x81 -> {
                var text = new String(payload, StandardCharsets.UTF_8);
                texts.add(text);
                announced = Long.parseLong(text.replaceFirst(".*\"at\":([0-9]+).*", "$1"));
                at = text.contains("\"output\"") ? at : Math.max(at, announced);
            }
            case 0x82 -> {
                shown.append(new String(payload, StandardCharsets.ISO_8859_1));
                at = announced;
            }
            case 0x88 -> {
                closeCode = payload.length < 2 ? 0 : ByteBuffer.wrap(payload).getShort() & 0xffff;
                return false;
            }
            case 0x89 -> send(frame(0x8a, payload));
            default -> {}
        }
        return true;
    }

    /// All bytes to the end of a raw stream.
    public String rest() throws IOException {
        var all = new ByteArrayOutputStream();
        var buffer = ByteBuffer.allocate(8192);
        while (channel.read(buffer.clear()) >= 0) {
            all.write(buffer.array(), 0, buffer.position());
        }
        return all.toString(StandardCharsets.UTF_8);
    }

    /// Bytes of a raw stream until `text` is among them.
    public String until(String text) throws IOException {
        var all = new StringBuilder();
        while (all.indexOf(text) < 0) {
            all.append(new String(read(1), StandardCharsets.ISO_8859_1));
        }
        return all.toString();
    }

    /// Says that nothing more is sent.
    public void shutdownOutput() throws IOException {
        channel.shutdownOutput();
    }

    private byte[] read(int length) throws IOException {
        var buffer = ByteBuffer.allocate(length);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer) < 0) {
                throw new EOFException("the connection ended");
            }
        }
        return buffer.array();
    }

    private String line() throws IOException {
        var line = until("\n");
        return line.stripTrailing();
    }

    @Override
    public void close() throws IOException {
        watchdog.interrupt();
        channel.close();
    }
}
