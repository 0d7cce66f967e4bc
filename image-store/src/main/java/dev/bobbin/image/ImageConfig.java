package dev.bobbin.image;

import java.util.List;
import java.util.Map;

/// What an image says about how its programs are run; the job's own values come before these.
///
/// @param environment variables set for every process, in the image's order
/// @param entrypoint the fixed beginning of the command, empty if none
/// @param command the arguments used when the job names none, empty if none
/// @param user `name`, `uid`, `name:group` or `uid:gid`; `root` if the image names none
/// @param workdir absolute path of the working directory
public record ImageConfig(
        Map<String, String> environment, List<String> entrypoint, List<String> command, String user, String workdir) {

    public ImageConfig {
        environment = java.util.Collections.unmodifiableMap(new java.util.LinkedHashMap<>(environment));
        entrypoint = List.copyOf(entrypoint);
        command = List.copyOf(command);
    }
}
