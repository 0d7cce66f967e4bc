package dev.bobbin.runner;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What processes of a sandbox may besides what all may; asked for by name, and only where the configuration allows it.
/// Nothing here reaches beyond the sandbox's user namespace.
///
/// @param newPrivileges whether a program may gain what its caller has not, as `sudo` and `su` do
/// @param capabilities of root in the sandbox, besides the usual ones
public record Rights(boolean newPrivileges, Set<Capability> capabilities) {
    /// No more than all have.
    public static final Rights NONE = new Rights(false, Set.of());

    /// How the first of them is called in settings.
    public static final String NEW_PRIVILEGES = "new-privileges";

    public Rights {
        var rare = EnumSet.noneOf(Capability.class);
        capabilities.stream().filter(each -> !each.isUsual()).forEach(rare::add);
        capabilities = Collections.unmodifiableSet(rare);
    }

    /// Those that capabilities with these names give.
    ///
    /// @throws IllegalArgumentException if a name is of none that a sandbox can have; begins with the field
    public static Rights of(boolean newPrivileges, List<String> names) {
        var all = EnumSet.noneOf(Capability.class);
        for (var index = 0; index < names.size(); index++) {
            all.add(capability("capabilities.add[" + index + "]: ", names.get(index)));
        }
        return new Rights(newPrivileges, all);
    }

    /// The most that a host allows.
    ///
    /// @param words names of capabilities, and [#NEW_PRIVILEGES]
    public static Rights allowed(Collection<String> words) {
        var all = EnumSet.noneOf(Capability.class);
        for (var word : words) {
            if (!word.equals(NEW_PRIVILEGES)) {
                all.add(capability("rights.allowed: ", word));
            }
        }
        return new Rights(words.contains(NEW_PRIVILEGES), all);
    }

    private static Capability capability(String field, String name) {
        return Capability.of(name)
                .orElseThrow(() -> new IllegalArgumentException(field + "\"" + name
                        + "\" is no capability that means anything in a sandbox, whose root is nobody outside; there are "
                        + Capability.all()));
    }

    /// Why these are refused where only `allowed` is, if so.
    public Optional<Refusal> beyond(Rights allowed) {
        if (newPrivileges && !allowed.newPrivileges) {
            return Optional.of(forbidden("allow_new_privileges", "new privileges are", NEW_PRIVILEGES));
        }
        return capabilities.stream()
                .filter(each -> !allowed.capabilities.contains(each))
                .findFirst()
                .map(each -> forbidden("capabilities.add", each.word() + " is", each.word()));
    }

    private static Refusal forbidden(String field, String what, String word) {
        return new Refusal(
                Refusal.Reason.FORBIDDEN,
                field + ": " + what + " not for jobs unless host.rights.allowed names " + word,
                field);
    }

    /// Refuses what cannot be of a sandbox with `network`.
    void checkWith(Network network) {
        JobFields.require(
                !(network instanceof Network.Host) || !ofNetwork(),
                "capabilities.add: CAP_NET_ADMIN and CAP_NET_RAW are of a network of the sandbox's own, and this one is to"
                        + " have the machine's");
    }

    /// Whether its network must be its user namespace's own.
    public boolean ofNetwork() {
        return capabilities.stream().anyMatch(Capability::isOfNetwork);
    }

    /// The capabilities as a mask.
    public long mask() {
        return capabilities.stream().mapToLong(Capability::bit).reduce(0, (one, other) -> one | other);
    }

    /// Names of the capabilities, as the kernel's documents have them.
    public List<String> words() {
        var words = new ArrayList<String>();
        capabilities.forEach(each -> words.add(each.word()));
        return List.copyOf(words);
    }
}
