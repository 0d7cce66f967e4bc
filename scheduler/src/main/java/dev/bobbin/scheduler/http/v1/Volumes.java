package dev.bobbin.scheduler.http.v1;

import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.Volume;
import dev.bobbin.runner.host.Volumes.Creation;
import dev.bobbin.scheduler.dispatch.VolumeDirectory;
import dev.bobbin.scheduler.http.exchange.Body;
import dev.bobbin.scheduler.http.exchange.Exchange;
import dev.bobbin.scheduler.http.exchange.JsonInput;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;

/// Volumes: made, found by name or id, listed, removed. A mount makes one too.
final class Volumes {
    private static final int LARGEST_REQUEST = 64 * 1024;

    private final VolumeDirectory volumes;

    Volumes(VolumeDirectory volumes) {
        this.volumes = volumes;
    }

    void create(ServerRequest request, ServerResponse response) {
        var name = new String[1];
        var labels = new LinkedHashMap<String, String>();
        var size = new long[1];
        JsonInput.readObject(Body.read(request, LARGEST_REQUEST), Set.of("name", "labels", "size"), (field, value) -> {
            switch (field) {
                case "name" -> name[0] = value.string();
                case "size" -> size[0] = size(value);
                default -> labels.putAll(JobInput.labels(value));
            }
        });
        if (name[0] == null) {
            throw Rejected.invalid("name", "name: say what the volume shall be called");
        }
        var caller = Exchange.caller(request);
        switch (JobInput.valid("", () -> volumes.create(name[0], labels, size[0], caller))) {
            case Creation.Refused(var refusal) -> throw new Rejected(Problem.of(refusal));
            case Creation.Created(var volume) -> {
                response.header(HeaderNames.LOCATION, "/v1/volumes/" + volume.name());
                response.status(Status.CREATED_201);
                send(response, volume);
            }
        }
    }

    private static long size(JsonInput value) throws IOException {
        var bytes = Quantity.bytes(value);
        if (bytes < Volume.LEAST_BYTES) {
            throw value.wrong("must be at least " + Volume.LEAST_BYTES + " bytes; leave it out for none");
        }
        return bytes;
    }

    /// `label` may come several times; all of them must fit.
    void list(ServerRequest request, ServerResponse response) {
        var labels = request.query().all("label", List::of).stream()
                .map(SandboxPage::label)
                .toList();
        var after = Jobs.query(request, "cursor").map(SandboxPage::cursor).orElse("");
        var limit = Jobs.query(request, "limit").map(SandboxPage::limit).orElse(SandboxPage.MOST_ITEMS);
        var rest = volumes.list(Exchange.caller(request)).stream()
                .filter(volume -> volume.id().toString().compareTo(after) > 0)
                .filter(volume -> labels.stream().allMatch(label -> label.isAmong(volume.labels())))
                .limit(limit + 1L)
                .toList();
        var items = rest.subList(0, Math.min(limit, rest.size()));
        JobAnswer.send(response, json -> {
            json.writeStartObject();
            json.writeArrayFieldStart("items");
            for (var volume : items) {
                VolumeJson.write(json, volume, volumes);
            }
            json.writeEndArray();
            json.writeStringField(
                    "next_cursor",
                    items.size() < rest.size() ? items.getLast().id().toString() : null);
            json.writeEndObject();
        });
    }

    void inspect(ServerRequest request, ServerResponse response) {
        send(response, find(request));
    }

    void remove(ServerRequest request, ServerResponse response) {
        var refusal = volumes.remove(find(request));
        if (refusal.isPresent()) {
            throw new Rejected(Problem.of(refusal.get()));
        }
        response.status(Status.NO_CONTENT_204).send();
    }

    /// Removes all that nobody uses.
    void prune(ServerRequest request, ServerResponse response) {
        EndRequest.readNothing(request);
        var removed = volumes.prune(Exchange.caller(request));
        JobAnswer.send(response, json -> {
            json.writeStartObject();
            json.writeArrayFieldStart("removed");
            for (var volume : removed) {
                json.writeString(volume.name());
            }
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    private Volume find(ServerRequest request) {
        var name = request.path().pathParameters().get("name");
        return volumes.find(name, Exchange.caller(request))
                .orElseThrow(() -> new Rejected(Problem.of(
                        new Refusal(Refusal.Reason.NO_SUCH_VOLUME, "volume: there is no volume \"" + name + "\""))));
    }

    private void send(ServerResponse response, Volume volume) {
        JobAnswer.send(response, json -> VolumeJson.write(json, volume, volumes));
    }
}
