package dev.bobbin.scheduler.http.exchange;

import io.helidon.common.GenericType;
import io.helidon.common.buffers.DataReader;
import io.helidon.common.buffers.DataWriter;
import io.helidon.common.media.type.MediaType;
import io.helidon.common.socket.HelidonSocket;
import io.helidon.common.socket.NioSocket;
import io.helidon.http.HeaderValues;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.helidon.webserver.http.spi.Sink;
import io.helidon.webserver.http.spi.SinkProvider;
import io.helidon.webserver.http.spi.SinkProviderContext;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.Arrays;
import java.util.function.BiConsumer;

/// The connection beneath one answer.
final class Connection implements Sink<Void> {
    /* Helidon shows the connection to makers of sinks and to nobody else, and takes the answer for sent once a sink is made.
     * So this asks for a sink, and its maker gives the context away instead of making one.
     *
     * Its socket shows the channel beneath to nobody, and writes everything by way of an array of 8 KiB. Output by the
     * gigabyte costs a third less past it, so the channel is taken out of the private field that has it. */

    private static final GenericType<Connection> TYPE = GenericType.create(Connection.class);

    private static final VarHandle CHANNEL = channel();

    private final SinkProviderContext context;

    private Connection(SinkProviderContext context) {
        this.context = context;
    }

    private static VarHandle channel() {
        try {
            return MethodHandles.privateLookupIn(NioSocket.class, MethodHandles.lookup())
                    .findVarHandle(NioSocket.class, "delegate", SocketChannel.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    static Connection of(ServerResponse response) {
        try {
            return response.sink(TYPE);
        } catch (Shown shown) {
            return new Connection(shown.context);
        }
    }

    /// What the client sends next. For one thread at a time.
    DataReader reader() {
        return context.connectionContext().dataReader();
    }

    /// Past the answer. For one thread at a time.
    DataWriter writer() {
        return context.connectionContext().dataWriter();
    }

    /// Sends all of the buffers, past the answer and its buffers. For one thread at a time.
    void send(ByteBuffer... data) throws IOException {
        var channel = (SocketChannel) CHANNEL.get((NioSocket) socket());
        var length = Arrays.stream(data).mapToLong(ByteBuffer::remaining).sum();
        Progress.writing(context.connectionContext(), length, () -> {
            for (var last = data[data.length - 1]; last.hasRemaining(); ) {
                channel.write(data);
            }
        });
    }

    HelidonSocket socket() {
        return context.connectionContext().serverSocket();
    }

    /// Lets the head of the answer leave before there is a body. The stream of the answer must be open.
    void flushHead() {
        context.flushHeaders();
    }

    boolean closesAfterAnswer() {
        return context.serverRequest().headers().containsToken(HeaderValues.CONNECTION_CLOSE);
    }

    @Override
    public Sink<Void> emit(Void nothing) {
        return this;
    }

    @Override
    public void close() {}

    /// Found by Helidon through the service loader.
    public static final class Provider implements SinkProvider<Void> {
        @Override
        public boolean supports(GenericType<? extends Sink<?>> type, ServerRequest request) {
            return type.rawType() == Connection.class;
        }

        @Override
        @SuppressWarnings("TypeParameterUnusedInFormals") // Helidon's signature
        public <X extends Sink<Void>> X create(SinkProviderContext context) {
            throw new Shown(context);
        }

        @Override
        @Deprecated
        @SuppressWarnings({"removal", "TypeParameterUnusedInFormals"})
        public <X extends Sink<Void>> X create(
                ServerResponse response, BiConsumer<Object, MediaType> consumer, Runnable closed) {
            throw new UnsupportedOperationException("only with a context");
        }
    }

    private static final class Shown extends RuntimeException {
        private final transient SinkProviderContext context;

        Shown(SinkProviderContext context) {
            super(null, null, false, false);
            this.context = context;
        }
    }
}
