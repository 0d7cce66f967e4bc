package dev.bobbin.ops.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// How a process is started.
final class ProcessOptions {
    @Option(
            names = {"-e", "--env"},
            paramLabel = "K=V",
            description = "Sets a variable; repeatable.")
    private Map<String, String> env = Map.of();

    @Option(
            names = {"-w", "--workdir"},
            paramLabel = "DIR",
            description = "Absolute path; made if absent, but not by exec.")
    private @Nullable String workdir;

    @Option(
            names = {"-u", "--user"},
            paramLabel = "USER",
            description = "Name or uid, with :group or :gid.")
    private @Nullable String user;

    @Option(
            names = {"-l", "--label"},
            paramLabel = "K=V",
            description = "A note that is kept; repeatable.")
    private Map<String, String> labels = Map.of();

    /// @param term what terminal it has, unless a variable says it; `null` for none
    void putInto(Request request, @Nullable String term) {
        var variables = new LinkedHashMap<>(env);
        if (term != null) {
            variables.putIfAbsent("TERM", term);
        }
        request.put("workdir", workdir)
                .put("user", user)
                .putUnlessEmpty("env", variables)
                .putUnlessEmpty("labels", labels);
    }
}
