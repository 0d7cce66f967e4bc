package dev.bobbin.scheduler.http.v1;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.bobbin.scheduler.http.exchange.Json;
import java.io.IOException;
import java.util.List;
import java.util.function.Function;

/// A part of a list as all lists are answered: `{items, next_cursor}`.
final class Page {
    private Page() {}

    /// How one of them is written.
    @FunctionalInterface
    interface Item<T> {
        void write(JsonGenerator json, T item) throws IOException;
    }

    /// The first of `wanted`.
    ///
    /// @param limit how many at most
    /// @param id what the next page begins behind
    static <T> Json.Value of(List<T> wanted, int limit, Item<T> item, Function<T, Object> id) {
        var items = wanted.subList(0, Math.min(limit, wanted.size()));
        return json -> {
            json.writeStartObject();
            json.writeArrayFieldStart("items");
            for (var each : items) {
                item.write(json, each);
            }
            json.writeEndArray();
            if (items.size() < wanted.size()) {
                json.writeStringField("next_cursor", id.apply(items.getLast()).toString());
            } else {
                json.writeNullField("next_cursor");
            }
            json.writeEndObject();
        };
    }
}
