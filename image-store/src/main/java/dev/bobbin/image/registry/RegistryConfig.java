package dev.bobbin.image.registry;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// How registries are spoken to.
///
/// @param insecure `host` or `host:port` of registries that may be spoken to without TLS; loopback ones always may
/// @param mirrors by registry, `host[:port]` to ask before it, in order
/// @param authorities by `host` or `host:port`, a PEM file of further certificates trusted for it
/// @param credentials where credentials are found
/// @param reach which addresses may be connected to
/// @param patience how long and how often is tried
/// @param parallel most requests to one registry at a time whose answers are under way
public record RegistryConfig(
        Set<String> insecure,
        Map<String, List<String>> mirrors,
        Map<String, Path> authorities,
        CredentialSources credentials,
        Reachable reach,
        Patience patience,
        int parallel) {
    public RegistryConfig {
        insecure = Set.copyOf(insecure);
        mirrors = Map.copyOf(mirrors);
        authorities = Map.copyOf(authorities);
        if (parallel < 1) {
            throw new IllegalArgumentException("at least one request at a time must be possible");
        }
    }

    public static RegistryConfig defaults() {
        return new RegistryConfig(
                Set.of(), Map.of(), Map.of(), CredentialSources.NONE, Reachable.ALL, Patience.DEFAULT, 6);
    }

    public RegistryConfig withCredentials(CredentialSources newCredentials) {
        return new RegistryConfig(insecure, mirrors, authorities, newCredentials, reach, patience, parallel);
    }

    /// Where credentials are found that a request does not bring along, and who may be shown them.
    ///
    /// @param files docker's `config.json` and podman's `auth.json`; the first that knows a registry counts
    /// @param programs directories in which `docker-credential-…` is looked for
    /// @param tokenHosts by registry, hosts beside its own domain whose token servers may be shown its credentials
    public record CredentialSources(List<Path> files, List<Path> programs, Map<String, Set<String>> tokenHosts) {
        public static final CredentialSources NONE = new CredentialSources(List.of(), List.of(), Map.of());

        public CredentialSources {
            files = List.copyOf(files);
            programs = List.copyOf(programs);
            tokenHosts = Map.copyOf(tokenHosts);
        }
    }

    /// Which addresses may be connected to.
    ///
    /// @param privateRegistries whether a caller may name a registry at a loopback or private address; off where
    ///     callers are strangers to the network they would reach
    /// @param networks `address/bits` that are open whoever names them
    public record Reachable(boolean privateRegistries, List<String> networks) {
        public static final Reachable ALL = new Reachable(true, List.of());

        public Reachable {
            networks = List.copyOf(networks);
        }
    }

    /// How long and how often is tried.
    ///
    /// @param answer time in which some registry must answer what a name means
    /// @param remembered how long a registry that did not answer is not asked again
    /// @param stall time in which at least some bytes of a blob must come or go
    /// @param attempts how often a request is tried again that brought no progress
    /// @param pause the first pause between two attempts; later ones grow, all are jittered
    /// @param longestPause the longest pause, also if a registry asks for a longer one
    public record Patience(
            Duration answer, Duration remembered, Duration stall, int attempts, Duration pause, Duration longestPause) {
        public static final Patience DEFAULT = new Patience(
                Duration.ofSeconds(10),
                Duration.ofSeconds(30),
                Duration.ofSeconds(60),
                6,
                Duration.ofMillis(200),
                Duration.ofSeconds(60));

        public Patience {
            if (attempts < 1 || pause.isNegative() || pause.isZero() || longestPause.compareTo(pause) < 0) {
                throw new IllegalArgumentException("at least one attempt, and pauses that grow");
            }
        }
    }
}
