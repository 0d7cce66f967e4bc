package dev.bobbin.runner.net;

import dev.bobbin.runner.SandboxId;
import java.net.Inet4Address;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// The sandboxes on the bridge, found by what they are looked for with. Safe for many threads.
final class Members {
    private final Map<SandboxId, Member> all = new ConcurrentHashMap<>();
    private final Map<Inet4Address, Member> byAddress = new ConcurrentHashMap<>();
    private final Map<Circle, Map<SandboxId, Member>> circles = new HashMap<>();

    /// All there are, also later.
    Collection<Member> all() {
        return Collections.unmodifiableCollection(all.values());
    }

    Optional<Member> at(Inet4Address address) {
        return Optional.ofNullable(byAddress.get(address));
    }

    /// Whether `member` is still there, however it is called now.
    boolean has(Member member) {
        var now = all.get(member.id());
        return now != null && now.address().equals(member.address());
    }

    /// Those that `member` reaches, itself among them.
    synchronized List<Member> circle(Member member) {
        var circle = member.circle();
        return circle == null
                ? List.of(member)
                : List.copyOf(circles.getOrDefault(circle, Map.of()).values());
    }

    synchronized void note(Member member) {
        all.put(member.id(), member);
        byAddress.put(member.address(), member);
        if (member.circle() != null) {
            circles.computeIfAbsent(member.circle(), _ -> new HashMap<>()).put(member.id(), member);
        }
    }

    /// @param names by which its project finds it from now on, if it is there
    synchronized void rename(SandboxId id, List<String> names) {
        var known = all.get(id);
        if (known != null) {
            note(known.named(names));
        }
    }

    synchronized Optional<Member> remove(SandboxId id) {
        var member = all.remove(id);
        if (member != null) {
            byAddress.remove(member.address(), member);
            if (member.circle() != null) {
                circles.computeIfPresent(member.circle(), (_, circle) -> {
                    circle.remove(id);
                    return circle.isEmpty() ? null : circle;
                });
            }
        }
        return Optional.ofNullable(member);
    }
}
