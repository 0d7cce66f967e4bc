package dev.bobbin.ops.config;

import dev.bobbin.image.archive.ExtractionLimits;
import dev.bobbin.image.registry.RegistryConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/// Reads the settings of images. Where nothing is said, credentials are found where docker and podman keep them.
final class ImageSettings {
    private static final Duration PRUNE_EVERY = Duration.ofHours(1);

    private final Settings settings;
    private final Map<String, String> environment;

    ImageSettings(Settings settings, Map<String, String> environment) {
        this.settings = settings;
        this.environment = environment;
    }

    ImagesConfig read(Path dataDir) {
        return new ImagesConfig(
                settings.path("images.directory", dataDir.resolve("images")),
                Set.copyOf(settings.texts("images.insecure", List.of())),
                settings.pairs("images.mirrors"),
                settings.files("images.authorities"),
                paths("images.credential-files", credentialFiles()),
                paths("images.credential-programs", credentialPrograms()),
                tokenHosts(),
                settings.onOff("images.private-registries", true),
                settings.texts("images.open-networks", List.of()),
                settings.integer("images.parallel", RegistryConfig.defaults().parallel()),
                settings.bytes("images.layer-bytes", ExtractionLimits.DEFAULT.bytes()),
                settings.integer("images.layer-entries", (int) ExtractionLimits.DEFAULT.entries()),
                settings.duration("images.prune-every", PRUNE_EVERY),
                settings.duration("images.prune-unused-for", Duration.ZERO),
                settings.bytes("images.prune-keep-bytes", 0));
    }

    private Map<String, Set<String>> tokenHosts() {
        var all = new LinkedHashMap<String, Set<String>>();
        settings.pairs("images.token-hosts").forEach((registry, hosts) -> all.put(registry, Set.copyOf(hosts)));
        return all;
    }

    private List<Path> paths(String key, List<Path> absent) {
        var texts = settings.texts(key, List.of());
        return texts.isEmpty() ? absent : texts.stream().map(Path::of).toList();
    }

    /// podman's before docker's, and what a variable names before what lies in the home directory.
    private List<Path> credentialFiles() {
        return Stream.of(
                        variable("REGISTRY_AUTH_FILE", ""),
                        variable("XDG_RUNTIME_DIR", "containers/auth.json"),
                        variable("HOME", ".config/containers/auth.json"),
                        variable("DOCKER_CONFIG", "config.json"),
                        variable("HOME", ".docker/config.json"))
                .flatMap(List::stream)
                .distinct()
                .toList();
    }

    private List<Path> credentialPrograms() {
        return Stream.of(environment.getOrDefault("PATH", "").split(":", -1))
                .filter(directory -> directory.startsWith("/"))
                .map(Path::of)
                .toList();
    }

    private List<Path> variable(String name, String below) {
        var value = environment.getOrDefault(name, "");
        return value.startsWith("/") ? List.of(Path.of(value).resolve(below)) : List.of();
    }
}
