package dev.bobbin.runner;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A program to be run, and what it is begun with. What is absent is the image's, or for an exec its sandbox's.
///
/// @param argv the program and its arguments; may be empty where there is another to fall back on
/// @param env variables set over those that are there
/// @param workdir absolute path; `null` for the usual one
/// @param user `name`, `uid`, `name:group` or `uid:gid`; `null` for the usual one
/// @param terminal in place of pipes; `null` for none. What it shows is standard output
public record Command(
        List<String> argv,
        Map<String, String> env,
        @Nullable String workdir,
        @Nullable String user,
        @Nullable Terminal terminal) {

    public Command {
        argv = List.copyOf(argv);
        env = Collections.unmodifiableMap(new LinkedHashMap<>(env));
        JobFields.check(argv, env);
        JobFields.checkPlace(workdir, user);
    }

    /// One with pipes that takes everything else as it finds it.
    public static Command of(List<String> argv) {
        return new Command(argv, Map.of(), null, null, null);
    }
}
