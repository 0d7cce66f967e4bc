package dev.bobbin.runner.net;

import dev.bobbin.runner.kernel.KernelException;
import java.net.Inet4Address;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/// What sandboxes are let through to because a name led there: the set `granted` of their rules, and until when each of
/// its elements stays. For one thread.
final class Grants {
    /// More than a program talks to at once; who asks for names in a zone of its own could have any number.
    static final int MOST_EACH = 1024;

    private static final int MOST = 128 * MOST_EACH;

    /// Beyond what was asked for, so that who asks for a name again and again changes the rules once in that time.
    private static final Duration SPARE = Duration.ofMinutes(1);
    /// Beyond what is noted, so that what the kernel still has can be told from what it has let go of.
    private static final long SLACK_SECONDS = 10;

    private static final long SECOND = Duration.ofSeconds(1).toNanos();

    private static final Pattern ELEMENT = Pattern.compile("([0-9.]+) \\. ([0-9.]+)[^,]* expires ([0-9dhms]+)");
    private static final Pattern TIME = Pattern.compile("(\\d+)(d|h|ms|m|s)");
    private static final Map<String, Duration> UNITS = Map.of(
            "d", Duration.ofDays(1),
            "h", Duration.ofHours(1),
            "m", Duration.ofMinutes(1),
            "s", Duration.ofSeconds(1),
            "ms", Duration.ofMillis(1));

    /// Until when, of each sandbox, in nanoseconds of [System#nanoTime].
    private final Map<Inet4Address, Map<Inet4Address, Long>> all = new HashMap<>();

    /// Lets `sandbox` connect to `addresses` for so long at least.
    ///
    /// @param filter carries out commands
    /// @throws KernelException if it has too many already
    void open(
            Inet4Address sandbox,
            Collection<Inet4Address> addresses,
            Duration time,
            Rules rules,
            Consumer<String> filter) {
        var now = System.nanoTime();
        var known = all.getOrDefault(sandbox, Map.of());
        var wanted = addresses.stream()
                .distinct()
                .filter(address -> !known.containsKey(address) || known.get(address) - now < time.toNanos())
                .toList();
        if (wanted.isEmpty()) {
            return;
        }
        makeRoom(sandbox, wanted, now);
        var open = time.plus(SPARE);
        filter.accept(rules.granted(sandbox, wanted, open.toSeconds() + SLACK_SECONDS));
        var noted = all.computeIfAbsent(sandbox, _ -> new HashMap<>());
        wanted.forEach(address -> noted.put(address, now + open.toNanos()));
    }

    private void makeRoom(Inet4Address sandbox, List<Inet4Address> wanted, long now) {
        if (fits(sandbox, wanted)) {
            return;
        }
        all.values().forEach(each -> each.values().removeIf(until -> until - now < 0));
        if (!fits(sandbox, wanted)) {
            throw new KernelException(sandbox.getHostAddress() + " has too many addresses open");
        }
    }

    private boolean fits(Inet4Address sandbox, List<Inet4Address> wanted) {
        var known = all.getOrDefault(sandbox, Map.of());
        var more =
                wanted.stream().filter(address -> !known.containsKey(address)).count();
        return known.size() + more <= MOST_EACH
                && all.values().stream().mapToLong(Map::size).sum() + more <= MOST;
    }

    /// Forgets what `sandbox` was let through to.
    ///
    /// @return what that was
    Collection<Inet4Address> forget(Inet4Address sandbox) {
        var known = all.remove(sandbox);
        return known == null ? List.of() : known.keySet();
    }

    void clear() {
        all.clear();
    }

    /// All of it as elements of the set, with the time that each has left.
    List<String> elements() {
        var now = System.nanoTime();
        return all.entrySet().stream()
                .flatMap(sandbox -> sandbox.getValue().entrySet().stream()
                        .filter(each -> each.getValue() - now > 0)
                        .map(each -> Rules.granted(
                                sandbox.getKey(), each.getKey(), (each.getValue() - now) / SECOND + SLACK_SECONDS)))
                .toList();
    }

    /// Notes what an earlier server granted and is still in force.
    ///
    /// @param set the set as the kernel lists it
    /// @param lives whether a sandbox is there
    void note(String set, Predicate<Inet4Address> lives) {
        var now = System.nanoTime();
        var element = ELEMENT.matcher(set);
        while (element.find()) {
            var sandbox = Inet4Address.ofLiteral(element.group(1));
            var left = seconds(element.group(3));
            if (lives.test(sandbox) && left.isPresent() && left.getAsLong() > SLACK_SECONDS) {
                all.computeIfAbsent(sandbox, _ -> new HashMap<>())
                        .put(
                                Inet4Address.ofLiteral(element.group(2)),
                                now + (left.getAsLong() - SLACK_SECONDS) * SECOND);
            }
        }
    }

    /// Of a time as nft(8) writes it, `1h2m3s400ms`.
    private static OptionalLong seconds(String text) {
        var time = Duration.ZERO;
        var part = TIME.matcher(text);
        var end = 0;
        while (part.find() && part.start() == end) {
            time = time.plus(
                    UNITS.getOrDefault(part.group(2), Duration.ZERO).multipliedBy(Long.parseLong(part.group(1))));
            end = part.end();
        }
        return end == text.length() ? OptionalLong.of(time.toSeconds()) : OptionalLong.empty();
    }
}
