package dev.bobbin.ops.config;

import dev.bobbin.image.archive.ExtractionLimits;
import dev.bobbin.image.registry.RegistryConfig;
import dev.bobbin.image.registry.RegistryConfig.CredentialSources;
import dev.bobbin.image.registry.RegistryConfig.Patience;
import dev.bobbin.image.registry.RegistryConfig.Reachable;
import dev.bobbin.image.store.PrunePolicy;
import dev.bobbin.image.store.StoreConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Where images are kept and where they come from.
///
/// @param directory where they are kept
/// @param insecure registries that may be spoken to without TLS; those on loopback always may
/// @param mirrors by registry, `HOST[:PORT]` to ask before it, in order
/// @param authorities by `HOST[:PORT]`, a PEM file of further certificates trusted for it
/// @param credentialFiles docker's `config.json` and podman's `auth.json`; they serve administrators who bring none
/// @param credentialPrograms directories in which `docker-credential-…` is looked for
/// @param tokenHosts by registry, hosts beside its own domain whose token servers may be shown its credentials
/// @param privateRegistries whether a caller may name a registry at a loopback or private address
/// @param openNetworks `ADDRESS/BITS` that are open whoever names them
/// @param parallel most requests to one registry at a time
/// @param layerBytes most bytes that a layer may unpack to
/// @param layerEntries most files that a layer may hold
/// @param pruneEvery how often is looked for what may be taken away
/// @param pruneUnusedFor names not used for so long are taken away; zero to keep them whatever their age
/// @param pruneKeepBytes names not used for longest are taken away above that; zero to keep them whatever the size
public record ImagesConfig(
        Path directory,
        Set<String> insecure,
        Map<String, List<String>> mirrors,
        Map<String, Path> authorities,
        List<Path> credentialFiles,
        List<Path> credentialPrograms,
        Map<String, Set<String>> tokenHosts,
        boolean privateRegistries,
        List<String> openNetworks,
        int parallel,
        long layerBytes,
        long layerEntries,
        Duration pruneEvery,
        Duration pruneUnusedFor,
        long pruneKeepBytes) {

    public ImagesConfig {
        insecure = Set.copyOf(insecure);
        mirrors = Map.copyOf(mirrors);
        authorities = Map.copyOf(authorities);
        credentialFiles = List.copyOf(credentialFiles);
        credentialPrograms = List.copyOf(credentialPrograms);
        tokenHosts = Map.copyOf(tokenHosts);
        openNetworks = List.copyOf(openNetworks);
        require(parallel >= 1 && parallel <= 64, "parallel: must be between 1 and 64");
        require(layerBytes >= 1, "layer-bytes: must be at least 1");
        require(layerEntries >= 1, "layer-entries: must be at least 1");
        require(pruneEvery.toMillis() >= 1_000, "prune-every: must be at least 1s");
        require(!pruneUnusedFor.isNegative(), "prune-unused-for: must not be negative");
        require(pruneKeepBytes >= 0, "prune-keep-bytes: must not be negative");
    }

    /// The same, kept elsewhere.
    ImagesConfig in(Path newDirectory) {
        return new ImagesConfig(
                newDirectory,
                insecure,
                mirrors,
                authorities,
                credentialFiles,
                credentialPrograms,
                tokenHosts,
                privateRegistries,
                openNetworks,
                parallel,
                layerBytes,
                layerEntries,
                pruneEvery,
                pruneUnusedFor,
                pruneKeepBytes);
    }

    /// These settings as the store takes them.
    public StoreConfig store(boolean hostImage) {
        var registries = new RegistryConfig(
                insecure,
                mirrors,
                authorities,
                new CredentialSources(credentialFiles, credentialPrograms, tokenHosts),
                new Reachable(privateRegistries, openNetworks),
                Patience.DEFAULT,
                parallel);
        var extraction = ExtractionLimits.DEFAULT.withBytes(layerBytes).withEntries(layerEntries);
        return StoreConfig.DEFAULT
                .withHostImage(hostImage)
                .withRegistries(registries)
                .withExtraction(extraction);
    }

    /// What is taken away from time to time, if anything is.
    public Optional<PrunePolicy> prune() {
        if (pruneUnusedFor.isZero() && pruneKeepBytes == 0) {
            return Optional.empty();
        }
        return Optional.of(new PrunePolicy(
                pruneUnusedFor.isZero() ? null : pruneUnusedFor, pruneKeepBytes == 0 ? null : pruneKeepBytes));
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }
}
