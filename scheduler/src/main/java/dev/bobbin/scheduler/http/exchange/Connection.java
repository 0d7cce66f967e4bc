package dev.bobbin.scheduler.http.exchange;

import io.helidon.common.GenericType;
import io.helidon.common.buffers.DataReader;
import io.helidon.common.media.type.MediaType;
import io.helidon.http.HeaderValues;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.helidon.webserver.http.spi.Sink;
import io.helidon.webserver.http.spi.SinkProvider;
import io.helidon.webserver.http.spi.SinkProviderContext;
import java.util.function.BiConsumer;

/// The connection beneath one answer. Helidon shows it to makers of sinks and to nobody else, so this is a sink that
/// emits nothing.
final class Connection implements Sink<Void> {
    private static final GenericType<Connection> TYPE = GenericType.create(Connection.class);

    private final SinkProviderContext context;

    private Connection(SinkProviderContext context) {
        this.context = context;
    }

    static Connection of(ServerResponse response) {
        return response.sink(TYPE);
    }

    /// What the client sends next. For one thread at a time.
    DataReader reader() {
        return context.connectionContext().dataReader();
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
        @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // Helidon's signature
        public <X extends Sink<Void>> X create(SinkProviderContext context) {
            return (X) new Connection(context);
        }

        @Override
        @Deprecated
        @SuppressWarnings({"removal", "TypeParameterUnusedInFormals"})
        public <X extends Sink<Void>> X create(
                ServerResponse response, BiConsumer<Object, MediaType> consumer, Runnable closed) {
            throw new UnsupportedOperationException("only with a context");
        }
    }
}
