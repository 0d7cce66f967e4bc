package dev.bobbin.image.registry;

import dev.bobbin.image.registry.RegistryConfig.CredentialSources;
import dev.bobbin.image.registry.RegistryConfig.Patience;
import dev.bobbin.image.registry.RegistryConfig.Reachable;
import dev.bobbin.image.registry.wire.AddressKind;
import dev.bobbin.image.registry.wire.AddressPolicy;
import dev.bobbin.image.registry.wire.Names;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/// Names and addresses as a client of the whole world would see them, within this machine: of its loopback network,
/// one part stands for this machine, the others for public, private and metadata addresses.
final class Town {
    static final String PUBLIC = "127.0.1.1";
    static final String OTHER_PUBLIC = "127.0.1.2";
    static final String PRIVATE = "127.0.2.1";
    static final String METADATA = "127.0.3.1";
    static final String LOOPBACK = "127.0.0.1";

    private final Map<String, Queue<List<InetAddress>>> answers = new ConcurrentHashMap<>();
    private final List<String> lookedUp = new CopyOnWriteArrayList<>();

    /// The next answers for `name`; the last one stays.
    Town name(String name, String... addresses) {
        answers.computeIfAbsent(name, _ -> new ArrayDeque<>())
                .add(List.of(addresses).stream().map(InetAddress::ofLiteral).toList());
        return this;
    }

    List<String> lookedUp() {
        return lookedUp;
    }

    Names names() {
        return host -> {
            lookedUp.add(host);
            var known = answers.get(host);
            if (known != null) {
                synchronized (known) {
                    return known.size() > 1 ? known.remove() : known.element();
                }
            }
            if (Character.isDigit(host.charAt(0)) || host.indexOf(':') >= 0) {
                return List.of(InetAddress.ofLiteral(host));
            }
            if (host.equals("localhost")) {
                return List.of(InetAddress.ofLiteral(LOOPBACK));
            }
            throw new UnknownHostException(host);
        };
    }

    Registries registries(RegistryConfig config, String... networks) {
        var allowed = java.util.Arrays.stream(networks)
                .map(dev.bobbin.image.registry.wire.Network::parse)
                .toList();
        return new Registries(config, names(), new AddressPolicy(Town::kind, AddressKind.LOOPBACK, allowed));
    }

    /// Short times, and `insecure` registries.
    static RegistryConfig config(String... insecure) {
        return config(Map.of(), CredentialSources.NONE, Map.of(), insecure);
    }

    static RegistryConfig config(
            Map<String, Path> authorities,
            CredentialSources credentials,
            Map<String, List<String>> mirrors,
            String... insecure) {
        var patience = new Patience(
                // the first handshake of a JVM on a busy machine takes seconds
                Duration.ofSeconds(authorities.isEmpty() ? 3 : 30),
                Duration.ofSeconds(30),
                Duration.ofMillis(700),
                4,
                Duration.ofMillis(20),
                Duration.ofSeconds(5));
        return new RegistryConfig(Set.of(insecure), mirrors, authorities, credentials, Reachable.ALL, patience, 4);
    }

    static AddressKind kind(InetAddress address) {
        var text = address.getHostAddress();
        if (text.startsWith("127.0.1.")) {
            return AddressKind.PUBLIC;
        }
        if (text.startsWith("127.0.2.")) {
            return AddressKind.PRIVATE;
        }
        if (text.startsWith("127.0.3.")) {
            return AddressKind.LINK_LOCAL;
        }
        return AddressKind.of(address);
    }
}
