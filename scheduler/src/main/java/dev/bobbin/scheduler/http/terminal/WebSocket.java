package dev.bobbin.scheduler.http.terminal;

import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.RawConnection;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.http.exchange.Streamed.ClientGone;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// The server's end of a WebSocket (RFC 6455, no extensions). One thread may receive, any thread may send.
public final class WebSocket {
    public static final int NORMAL = 1000;
    public static final int GOING_AWAY = 1001;
    public static final int PROTOCOL_ERROR = 1002;
    public static final int NOT_TEXT = 1007;
    public static final int TOO_BIG = 1009;
    public static final int FAILED = 1011;

    /// What a message from the client may hold.
    public static final int LARGEST_MESSAGE = 64 * 1024;

    private static final HeaderName KEY = HeaderNames.create("Sec-WebSocket-Key");
    private static final HeaderName VERSION = HeaderNames.create("Sec-WebSocket-Version");
    /// What RFC 6455 has servers put behind the key.
    private static final String MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    private static final int CONTINUATION = 0;
    private static final int TEXT = 1;
    private static final int BINARY = 2;
    private static final int CLOSE = 8;
    private static final int PING = 9;
    private static final int PONG = 10;

    private static final int FINAL = 0x80;
    private static final int RESERVED = 0x70;
    private static final int MASKED = 0x80;
    private static final int LARGEST_CONTROL = 125;
    private static final int SHORT_LENGTH = 126;
    private static final int LONG_LENGTH = 127;

    private final RawConnection connection;
    private boolean closeSent;

    public WebSocket(RawConnection connection) {
        this.connection = connection;
    }

    /// What a client sent.
    public sealed interface Message {
        record Text(String text) implements Message {}

        @SuppressWarnings("ArrayRecordComponent") // handed over once, never compared
        record Binary(byte[] data) implements Message {}

        /// It has closed the WebSocket, or its connection has ended: the last message.
        record Closed() implements Message {}
    }

    /// Whether the request asks for a WebSocket.
    public static boolean isAsked(ServerRequest request) {
        return request.headers()
                .first(HeaderNames.UPGRADE)
                .filter(value -> value.strip().toLowerCase(Locale.ROOT).equals("websocket"))
                .isPresent();
    }

    /// The head that accepts what the request asks for.
    public static String accept(ServerRequest request) {
        if (!request.headers().first(VERSION).map(String::strip).orElse("").equals("13")) {
            throw new Rejected(new Problem(
                    426, "upgrade_required", "Sec-WebSocket-Version: this server speaks version 13", null, 0));
        }
        var key = request.headers().first(KEY).map(String::strip).orElse("");
        if (!key.matches("[A-Za-z0-9+/]{22}==")) {
            throw Rejected.invalid("Sec-WebSocket-Key", "Sec-WebSocket-Key: must be 16 bytes in base64");
        }
        return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
                + proof(key) + "\r\n";
    }

    private static String proof(String key) {
        try {
            var digest = MessageDigest.getInstance("SHA-1").digest((key + MAGIC).getBytes(StandardCharsets.US_ASCII));
            return Base64.getEncoder().encodeToString(digest);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /// The next message. Pings are answered, and a client that breaks the protocol is told so, on the way.
    public Message receive() throws ClientGone {
        try {
            return message();
        } catch (EOFException _) {
            return new Message.Closed();
        } catch (Broken broken) {
            close(broken.code, broken.reason);
            return new Message.Closed();
        }
    }

    private Message message() throws EOFException, ClientGone, Broken {
        var parts = new ByteArrayOutputStream();
        var kind = CONTINUATION;
        while (true) {
            var first = octet();
            var opcode = first & 0x0f;
            var last = (first & FINAL) != 0;
            if ((first & RESERVED) != 0) {
                throw new Broken(PROTOCOL_ERROR, "no extension was agreed on");
            }
            if (opcode >= CLOSE) {
                var payload =
                        payload(last ? LARGEST_CONTROL : -1, PROTOCOL_ERROR, "a control frame must be short and whole");
                if (control(opcode, payload)) {
                    return new Message.Closed();
                }
                continue;
            }
            if (opcode > BINARY || (opcode == CONTINUATION) == (kind == CONTINUATION)) {
                throw new Broken(PROTOCOL_ERROR, "this frame cannot come here");
            }
            kind = opcode == CONTINUATION ? kind : opcode;
            var room = LARGEST_MESSAGE - parts.size();
            parts.writeBytes(payload(room, TOO_BIG, "a message has at most " + LARGEST_MESSAGE + " bytes"));
            if (last) {
                var whole = parts.toByteArray();
                return kind == TEXT ? new Message.Text(text(whole)) : new Message.Binary(whole);
            }
        }
    }

    private int octet() throws EOFException {
        return connection.read(1)[0] & 0xff;
    }

    private byte[] payload(int most, int code, String reason) throws EOFException, Broken {
        var second = octet();
        if ((second & MASKED) == 0) {
            throw new Broken(PROTOCOL_ERROR, "what a client sends must be masked");
        }
        var length = (long) (second & ~MASKED);
        if (length >= SHORT_LENGTH) {
            var bytes = connection.read(length == LONG_LENGTH ? Long.BYTES : Short.BYTES);
            length = 0;
            for (var octet : bytes) {
                length = (length << 8) | (octet & 0xff);
            }
        }
        if (length < 0 || length > most) {
            throw new Broken(code, reason);
        }
        var mask = connection.read(Integer.BYTES);
        var data = length == 0 ? new byte[0] : connection.read((int) length);
        for (var index = 0; index < data.length; index++) {
            data[index] ^= mask[index % mask.length];
        }
        return data;
    }

    /// Whether that was the last frame.
    private boolean control(int opcode, byte[] payload) throws ClientGone, Broken {
        switch (opcode) {
            case PING -> send(frame(PONG, payload));
            case PONG -> {}
            case CLOSE -> {
                answerClose(payload);
                return true;
            }
            default -> throw new Broken(PROTOCOL_ERROR, "there is no such frame");
        }
        return false;
    }

    private void answerClose(byte[] payload) throws ClientGone, Broken {
        if (payload.length == 0) {
            close(NORMAL, "");
            return;
        }
        var code = payload.length < Short.BYTES ? 0 : ByteBuffer.wrap(payload).getShort() & 0xffff;
        if (code < NORMAL || code >= 5000 || (code >= 1004 && code <= 1006) || (code > 1014 && code < 3000)) {
            throw new Broken(PROTOCOL_ERROR, "there is no such code");
        }
        close(code, "");
    }

    private static String text(byte[] bytes) throws Broken {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException _) {
            throw new Broken(NOT_TEXT, "a text must be UTF-8");
        }
    }

    /// A message as it goes over the wire, for [#send].
    public static byte[] text(String text) {
        return frame(TEXT, text.getBytes(StandardCharsets.UTF_8));
    }

    /// A message as it goes over the wire, for [#send].
    public static byte[] binary(byte[] data) {
        return frame(BINARY, data);
    }

    /// Sends messages that [#text] and [#binary] made, one behind the other; nothing once the WebSocket is closed.
    public synchronized void send(byte[]... messages) throws ClientGone {
        if (closeSent) {
            return;
        }
        var out = new ByteArrayOutputStream();
        for (var message : messages) {
            out.writeBytes(message);
        }
        connection.write(out.toByteArray());
    }

    /// Asks the client for a sign of life.
    public void ping() throws ClientGone {
        send(frame(PING, new byte[0]));
    }

    /// How long nothing came from the client, not even an answer to a [#ping].
    public long quietNanos() {
        return connection.quietNanos();
    }

    /// Says that nothing more is sent, and why; once.
    public synchronized void close(int code, @Nullable String reason) throws ClientGone {
        var why = (reason == null ? "" : reason).getBytes(StandardCharsets.UTF_8);
        var payload = ByteBuffer.allocate(Short.BYTES + why.length)
                .putShort((short) code)
                .put(why);
        send(frame(CLOSE, payload.array()));
        closeSent = true;
    }

    private static byte[] frame(int opcode, byte[] payload) {
        var wide = payload.length > 0xffff;
        var extended = wide ? Long.BYTES : payload.length > LARGEST_CONTROL ? Short.BYTES : 0;
        var out = ByteBuffer.allocate(2 + extended + payload.length).put((byte) (FINAL | opcode));
        switch (extended) {
            case 0 -> out.put((byte) payload.length);
            case Short.BYTES -> out.put((byte) SHORT_LENGTH).putShort((short) payload.length);
            default -> out.put((byte) LONG_LENGTH).putLong(payload.length);
        }
        return out.put(payload).array();
    }

    /// The client broke the protocol.
    private static final class Broken extends Exception {
        private final int code;
        private final String reason;

        Broken(int code, String reason) {
            super(reason, null, false, false);
            this.code = code;
            this.reason = reason;
        }
    }
}
