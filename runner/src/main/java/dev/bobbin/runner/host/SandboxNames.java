package dev.bobbin.runner.host;

import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.sandbox.SandboxRecord;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/// Which sandbox has which name or alias; each belongs to one at a time of each tenant. Safe for many threads. No name,
/// as `null`, is always free.
final class SandboxNames {
    /// By tenant, NUL, name.
    private final Map<String, SandboxId> ids = new ConcurrentHashMap<>();

    /// Gives the name to a sandbox, unless another has it.
    ///
    /// @return whether it is that sandbox's now
    boolean claim(String tenant, @Nullable String name, SandboxId id) {
        return name == null || id.equals(ids.computeIfAbsent(key(tenant, name), _ -> id));
    }

    /// Gives the sandbox eight hexadecimal digits that no other of the tenant's has.
    String alias(String tenant, SandboxId id) {
        var alias = SandboxRecord.alias(id);
        while (!claim(tenant, alias, id)) {
            alias = HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt());
        }
        return alias;
    }

    void release(String tenant, @Nullable String name, SandboxId id) {
        if (name != null) {
            ids.remove(key(tenant, name), id);
        }
    }

    Optional<SandboxId> find(String tenant, String name) {
        return Optional.ofNullable(ids.get(key(tenant, name)));
    }

    private static String key(String tenant, String name) {
        return tenant + "\0" + name;
    }
}
