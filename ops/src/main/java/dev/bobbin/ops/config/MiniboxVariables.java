package dev.bobbin.ops.config;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// The variables of minibox's daemon as settings of this server; every other way to set them comes before these.
final class MiniboxVariables {
    private static final String ADDRESS = "MINIBOX_HTTP_ADDR";
    private static final String DATA = "MINIBOX_DATA_ROOT";
    private static final String PREFIXES = "MINIBOX_BUILD_PREFIXES";

    private MiniboxVariables() {}

    /// Settings by the variable that makes them.
    static Map<String, Map<String, List<String>>> settings(Map<String, String> environment) {
        var all = new LinkedHashMap<String, Map<String, List<String>>>();
        var address = environment.getOrDefault(ADDRESS, "").strip();
        if (!address.isEmpty()) {
            // without a host it stands for every address
            all.put(ADDRESS, Map.of("listen", List.of(address.startsWith(":") ? "0.0.0.0" + address : address)));
        }
        var data = environment.getOrDefault(DATA, "").strip();
        if (!data.isEmpty()) {
            // beside what minibox itself keeps there
            all.put(DATA, Map.of("data-dir", List.of(data + "/bobbin")));
        }
        var prefixes = Stream.of(environment.getOrDefault(PREFIXES, "").split(",", -1))
                .map(String::strip)
                .filter(prefix -> !prefix.isEmpty())
                .toList();
        if (!prefixes.isEmpty()) {
            all.put(PREFIXES, Map.of("http.shared-prefixes", prefixes));
        }
        return all;
    }
}
