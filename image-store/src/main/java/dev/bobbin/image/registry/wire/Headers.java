package dev.bobbin.image.registry.wire;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The header fields of an answer, in order; names without regard to case.
public final class Headers {
    private final List<Field> fields;

    Headers(List<Field> fields) {
        this.fields = List.copyOf(fields);
    }

    /// The first value of `name`.
    public Optional<String> first(String name) {
        return all(name).stream().findFirst();
    }

    /// All values of `name`, each field on its own.
    public List<String> all(String name) {
        var values = new ArrayList<String>();
        for (var field : fields) {
            if (field.name().equalsIgnoreCase(name)) {
                values.add(field.value());
            }
        }
        return values;
    }

    /// A name and its value.
    record Field(String name, String value) {}
}
