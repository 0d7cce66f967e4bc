package dev.bobbin.scheduler.http.registry;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageProblem;
import dev.bobbin.image.MediaTypes;
import dev.bobbin.scheduler.dispatch.ImageDirectory;
import dev.bobbin.scheduler.http.exchange.ByteRange;
import dev.bobbin.scheduler.http.exchange.Dialect;
import dev.bobbin.scheduler.http.exchange.Exchange;
import dev.bobbin.scheduler.http.exchange.Json;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.Method;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The images that a caller may see, as a registry that can be read. A repository's name is the image's without the
/// host of its registry; `?ns=` says which registry is meant where several have it.
public final class Registry implements Dialect {
    private static final HeaderName CONTENT_DIGEST = HeaderNames.create("Docker-Content-Digest");
    private static final HeaderName VERSION = HeaderNames.create("Docker-Distribution-Api-Version");
    private static final String JSON = "application/json";
    private static final int MOST_TAGS = 1_000;

    /// The codes of the specification.
    private static final Set<String> CODES =
            Set.of("BLOB_UNKNOWN", "DIGEST_INVALID", "MANIFEST_UNKNOWN", "NAME_INVALID", "NAME_UNKNOWN", "UNSUPPORTED");

    private final ImageDirectory images;

    public Registry(ImageDirectory images) {
        this.images = images;
    }

    @Override
    public void routing(HttpRules rules) {
        rules.any("/v2", this::answer).any("/v2/*", this::answer);
    }

    @Override
    public boolean owns(String path) {
        return path.equals("/v2") || path.startsWith("/v2/");
    }

    @Override
    public String challenge() {
        return "Basic realm=\"bobbin\", charset=\"UTF-8\"";
    }

    @Override
    public void fail(ServerResponse response, Problem problem) {
        response.header(VERSION, "registry/2.0");
        response.header(HeaderNames.CONTENT_TYPE, JSON);
        response.status(Status.create(problem.status())).send(Json.write(json -> {
            json.writeStartObject();
            json.writeArrayFieldStart("errors");
            json.writeStartObject();
            json.writeStringField("code", code(problem));
            json.writeStringField("message", problem.detail());
            json.writeEndObject();
            json.writeEndArray();
            json.writeEndObject();
        }));
    }

    private static String code(Problem problem) {
        var own = problem.code().toUpperCase(Locale.ROOT);
        if (CODES.contains(own)) {
            return own;
        }
        return switch (problem.status()) {
            case 401 -> "UNAUTHORIZED";
            case 403 -> "DENIED";
            case 404 -> problem.code().equals("image_not_found") ? "MANIFEST_UNKNOWN" : "NAME_UNKNOWN";
            case 429 -> "TOOMANYREQUESTS";
            case 500, 503 -> "UNAVAILABLE";
            default -> "UNSUPPORTED";
        };
    }

    private void answer(ServerRequest request, ServerResponse response) {
        var method = request.prologue().method();
        if (!method.equals(Method.GET) && !method.equals(Method.HEAD)) {
            response.header(HeaderNames.ALLOW, "GET, HEAD");
            throw new Rejected(new Problem(405, "unsupported", "this registry can only be read"));
        }
        response.header(VERSION, "registry/2.0");
        var path = request.path().path();
        if (path.length() <= "/v2/".length()) {
            send(request, response, JSON, Json.write(json -> {
                json.writeStartObject();
                json.writeEndObject();
            }));
            return;
        }
        switch (Resource.parse(path.substring("/v2/".length())).orElseThrow(Registry::unknown)) {
            case Resource.Manifest manifest -> manifest(manifest, request, response);
            case Resource.Blob blob -> blob(blob, request, response);
            case Resource.Tags tags -> tags(tags, request, response);
            case Resource.Referrers referrers -> referrers(referrers, request, response);
        }
    }

    private void manifest(Resource.Manifest asked, ServerRequest request, ServerResponse response) {
        var found = images.manifest(
                        registry(request), asked.repository(), asked.tagOrDigest(), Exchange.caller(request))
                .orElseThrow(() -> new ImageException(
                        ImageProblem.NOT_FOUND,
                        "there is no image " + asked.repository() + " under " + asked.tagOrDigest()));
        var digest = found.descriptor().digest().text();
        response.header(CONTENT_DIGEST, digest);
        response.header(HeaderNames.ETAG, '"' + digest + '"');
        send(request, response, found.descriptor().mediaType(), found.bytes());
    }

    private void blob(Resource.Blob asked, ServerRequest request, ServerResponse response) {
        var digest = digest(asked.digest());
        var found = images.blob(digest, Exchange.caller(request))
                .orElseThrow(() -> new Rejected(new Problem(404, "blob_unknown", "there is no blob " + digest)));
        var size = found.size();
        response.header(CONTENT_DIGEST, digest.text());
        response.header(HeaderNames.ETAG, '"' + digest.text() + '"');
        response.header(HeaderNames.ACCEPT_RANGES, "bytes");
        response.header(HeaderNames.CONTENT_TYPE, "application/octet-stream");
        var header = request.headers().first(HeaderNames.RANGE).filter(ByteRange::asks);
        var range = new ByteRange(0, size - 1);
        if (header.isPresent() && request.prologue().method().equals(Method.GET)) {
            range = ByteRange.of(header.get(), size).orElseThrow(() -> {
                response.header(HeaderNames.CONTENT_RANGE, "bytes */" + size);
                return new Rejected(new Problem(416, "unsupported", "the blob has " + size + " bytes"));
            });
            response.header(HeaderNames.CONTENT_RANGE, "bytes " + range.first() + "-" + range.last() + "/" + size);
            response.status(Status.PARTIAL_CONTENT_206);
        }
        response.contentLength(range.length());
        if (request.prologue().method().equals(Method.HEAD)) {
            response.send();
            return;
        }
        try (var in = images.open(found, range.first());
                var out = response.outputStream()) {
            copy(in, out, range.length());
        } catch (ImageException | IOException | UncheckedIOException e) {
            throw new CloseConnectionException("the blob cannot be sent to its end", e);
        }
    }

    private void tags(Resource.Tags asked, ServerRequest request, ServerResponse response) {
        var all = images.tags(registry(request), asked.repository(), Exchange.caller(request));
        if (all.isEmpty()) {
            throw new Rejected(new Problem(404, "name_unknown", "there is no repository " + asked.repository()));
        }
        var last = request.query().first("last").asOptional().orElse("");
        var rest = all.stream().filter(tag -> tag.compareTo(last) > 0).toList();
        var most = request.query().first("n").asOptional().map(Registry::count).orElse(MOST_TAGS);
        var tags = rest.subList(0, Math.min(most, rest.size()));
        if (tags.size() < rest.size() && !tags.isEmpty()) {
            var space = registry(request) == null ? "" : "&ns=" + registry(request);
            response.header(
                    HeaderNames.LINK,
                    "</v2/" + asked.repository() + "/tags/list?n=" + most + "&last=" + tags.getLast() + space
                            + ">; rel=\"next\"");
        }
        send(request, response, JSON, Json.write(json -> {
            json.writeStartObject();
            json.writeStringField("name", asked.repository());
            texts(json, tags);
            json.writeEndObject();
        }));
    }

    private void referrers(Resource.Referrers asked, ServerRequest request, ServerResponse response) {
        digest(asked.digest());
        send(request, response, MediaTypes.OCI_INDEX, Json.write(json -> {
            json.writeStartObject();
            json.writeNumberField("schemaVersion", 2);
            json.writeStringField("mediaType", MediaTypes.OCI_INDEX);
            json.writeArrayFieldStart("manifests");
            json.writeEndArray();
            json.writeEndObject();
        }));
    }

    private static void send(ServerRequest request, ServerResponse response, String type, byte[] body) {
        response.header(HeaderNames.CONTENT_TYPE, type);
        if (request.prologue().method().equals(Method.HEAD)) {
            response.contentLength(body.length);
            response.send();
        } else {
            response.send(body);
        }
    }

    private static void copy(InputStream in, OutputStream out, long length) throws IOException {
        var buffer = new byte[64 * 1024];
        for (var left = length; left > 0; ) {
            var got = in.read(buffer, 0, (int) Math.min(buffer.length, left));
            if (got < 0) {
                throw new IOException("the blob is shorter than it should be");
            }
            out.write(buffer, 0, got);
            left -= got;
        }
    }

    /// Whose repository; as containerd asks its mirrors.
    private static @Nullable String registry(ServerRequest request) {
        return request.query()
                .first("ns")
                .asOptional()
                .filter(ns -> !ns.isEmpty())
                .orElse(null);
    }

    private static Digest digest(String text) {
        try {
            return Digest.parse(text);
        } catch (IllegalArgumentException e) {
            throw new Rejected(new Problem(400, "digest_invalid", String.valueOf(e.getMessage())));
        }
    }

    private static int count(String text) {
        if (!text.matches("[0-9]{1,9}")) {
            throw new Rejected(new Problem(400, "unsupported", "n: must be a whole number that is not negative"));
        }
        return Math.min(MOST_TAGS, Integer.parseInt(text));
    }

    private static void texts(JsonGenerator json, List<String> tags) throws IOException {
        json.writeArrayFieldStart("tags");
        for (var tag : tags) {
            json.writeString(tag);
        }
        json.writeEndArray();
    }

    private static Rejected unknown() {
        return new Rejected(new Problem(404, "name_unknown", "this path names no manifest, blob or list of tags"));
    }
}
