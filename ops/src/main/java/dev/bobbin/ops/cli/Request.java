package dev.bobbin.ops.cli;

import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The body of a request in the making; what nobody said is left out of it.
final class Request {
    private final Map<String, Object> members = new LinkedHashMap<>();

    Request put(String name, @Nullable Object value) {
        if (value != null) {
            members.put(name, value);
        }
        return this;
    }

    /// A size or duration; without a unit it is a number in the API.
    Request putAmount(String name, @Nullable String text) {
        return put(name, text != null && text.matches("[0-9]{1,18}(\\.[0-9]{1,9})?") ? new BigDecimal(text) : text);
    }

    Request putUnlessEmpty(String name, Map<String, ?> value) {
        return put(name, value.isEmpty() ? null : value);
    }

    Map<String, Object> members() {
        return members;
    }
}
