package dev.bobbin.ops.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// What a registry is shown, if not what the server's credential files say.
final class RegistryLogin {
    @Option(names = "--username", paramLabel = "NAME", description = "The password is read from standard input.")
    private @Nullable String username;

    /// A password on the command line could be read by everybody on this machine.
    void addTo(Map<String, Object> request) throws IOException {
        if (username != null) {
            var password = new String(System.in.readAllBytes(), StandardCharsets.UTF_8).strip();
            request.put("credentials", Map.of("username", username, "password", password));
        }
    }
}
