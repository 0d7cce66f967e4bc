package dev.bobbin.image.registry.wire;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One request. `toString` never shows header values: they hold credentials.
public final class Request {
    private final String method;
    private final URI uri;
    private final Map<String, String> headers;
    private final @Nullable Content content;
    private final @Nullable Duration time;

    private Request(
            String method, URI uri, Map<String, String> headers, @Nullable Content content, @Nullable Duration time) {
        this.method = method;
        this.uri = uri;
        this.headers = headers;
        this.content = content;
        this.time = time;
    }

    public static Request of(String method, URI uri) {
        return new Request(method, uri, Map.of(), null, null);
    }

    /// The same with one header more.
    ///
    /// @throws IllegalArgumentException if the value could be read as anything but a value
    public Request with(String name, String value) {
        if (!value.chars().allMatch(c -> c == '\t' || (c >= ' ' && c < 0x7f))) {
            throw new IllegalArgumentException("a value of the header " + name + " holds characters it must not");
        }
        var more = new LinkedHashMap<>(headers);
        more.put(name, value);
        return new Request(method, uri, more, content, time);
    }

    /// The same with a body of `length` bytes; opened once for each attempt to send it.
    public Request with(long length, Source source) {
        return new Request(method, uri, headers, new Content(length, source), time);
    }

    /// The same, given up if no connection is made, or no answer begins, in this time.
    public Request within(Duration shorter) {
        return new Request(method, uri, headers, content, shorter);
    }

    /// The same request to another place, without the header `Authorization` unless the place has the same origin.
    public Request to(URI other) {
        var kept = new LinkedHashMap<>(headers);
        if (!Origin.of(other).equals(Origin.of(uri))) {
            kept.remove("Authorization");
        }
        return new Request(method, other, kept, content, time);
    }

    /// Whether it only asks.
    public boolean isRead() {
        return method.equals("GET") || method.equals("HEAD");
    }

    public URI uri() {
        return uri;
    }

    public Origin origin() {
        return Origin.of(uri);
    }

    String method() {
        return method;
    }

    Map<String, String> headers() {
        return headers;
    }

    @Nullable
    Content content() {
        return content;
    }

    /// The shorter of `usual` and what this request allows.
    Duration time(Duration usual) {
        return time == null || time.compareTo(usual) > 0 ? usual : time;
    }

    /// As shown in messages: without the query, which may hold a signature.
    @Override
    public String toString() {
        return method + " " + origin() + uri.getRawPath();
    }

    /// Opens the bytes of a body, anew for each attempt.
    @FunctionalInterface
    public interface Source {
        InputStream open() throws IOException;
    }

    record Content(long length, Source source) {}
}
