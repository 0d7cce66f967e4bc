package dev.bobbin.runner.escape;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.host.TestHost;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// What the program for tests may and may not do inside a sandbox, by name.
final class Attempts {
    private final TestHost host;

    Attempts(TestHost host) {
        this.host = host;
    }

    /// How each ended: `done`, or the kernel's word for why not.
    Map<String, String> of(String... names) throws Exception {
        var command = new ArrayList<>(List.of("./probe", "attempt"));
        command.addAll(List.of(names));
        return words(command, 2);
    }

    /// How reading and how writing each of these files is answered, as `READ WRITE`.
    Map<String, String> onFiles(String... paths) throws Exception {
        var command = new ArrayList<>(List.of("./probe", "open"));
        command.addAll(List.of(paths));
        return words(command, 3);
    }

    private Map<String, String> words(List<String> command, int words) throws Exception {
        var result = host.request(command.toArray(String[]::new))
                .workdir("/w")
                .probe()
                .run();
        assertThat(result.exitCode()).as(result.toString()).isZero();
        var answers = new TreeMap<String, String>();
        for (var line : result.stdout().lines().toList()) {
            var parts = line.split(" ", words);
            var rest = List.of(parts).subList(1, parts.length);
            answers.put(parts[0], String.join(" ", rest));
        }
        return answers;
    }
}
