package dev.bobbin.runner.net;

import dev.bobbin.runner.net.dns.Asker;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;

/// A sandbox as the name server knows it.
record Neighbour(Member member, Networks networks) implements Asker {
    @Override
    public String project() {
        return Objects.requireNonNullElse(member.bridge().project(), "").toLowerCase(Locale.ROOT);
    }

    @Override
    public List<Inet4Address> neighbours(String name) {
        return networks.circle(member).stream()
                .filter(other -> other.isNamed(name))
                .map(Member::address)
                .toList();
    }

    @Override
    public Optional<String> neighbour(Inet4Address address) {
        return networks.circle(member).stream()
                .filter(other -> other.address().equals(address))
                .flatMap(other -> other.names().stream())
                .findFirst();
    }

    @Override
    public boolean mayResolve(String name) {
        return member.bridge().egress().open() || member.bridge().egress().allows(name);
    }

    @Override
    public boolean pinned() {
        return !member.bridge().egress().open();
    }

    @Override
    public boolean mayBeLedTo(InetAddress address) {
        return address instanceof Inet4Address four
                && Ranges.CLOSED.stream().noneMatch(range -> range.contains(four))
                && (Ranges.PRIVATE.stream().noneMatch(range -> range.contains(four))
                        || member.bridge().egress().allowed().stream().anyMatch(range -> range.contains(four)));
    }

    @Override
    public void grant(List<Inet4Address> addresses, Duration time) throws IOException, InterruptedException {
        networks.grant(member, addresses.stream().filter(this::mayBeLedTo).toList(), time);
    }
}
