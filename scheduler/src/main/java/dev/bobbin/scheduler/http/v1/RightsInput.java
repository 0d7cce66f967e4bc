package dev.bobbin.scheduler.http.v1;

import dev.bobbin.runner.Rights;
import dev.bobbin.scheduler.http.exchange.JsonInput;
import java.io.IOException;
import java.util.List;
import java.util.Set;

/// Reads what a job is to have besides what all have: `allow_new_privileges`, and `capabilities`: `{add: […]}`.
final class RightsInput {
    private static final int MOST_CAPABILITIES = 64;

    private boolean newPrivileges;
    private List<String> capabilities = List.of();

    void readNewPrivileges(JsonInput value) {
        newPrivileges = value.bool();
    }

    void readCapabilities(JsonInput value) throws IOException {
        value.object(Set.of("add"), (_, names) -> capabilities = names.list(MOST_CAPABILITIES));
    }

    Rights rights() {
        return Rights.of(newPrivileges, capabilities);
    }
}
