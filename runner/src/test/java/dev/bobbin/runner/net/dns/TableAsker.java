package dev.bobbin.runner.net.dns;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// A sandbox without a network behind it.
///
/// @param names what it may ask for, if it may not ask for everything
/// @param granted what was opened for it, and for how long
record TableAsker(
        String project, Map<String, List<Inet4Address>> table, List<String> names, Map<Inet4Address, Duration> granted)
        implements Asker {

    TableAsker(String project, Map<String, List<Inet4Address>> table, List<String> names) {
        this(project, table, names, new ConcurrentHashMap<>());
    }

    @Override
    public List<Inet4Address> neighbours(String name) {
        return table.getOrDefault(name, List.of());
    }

    @Override
    public Optional<String> neighbour(Inet4Address address) {
        return table.entrySet().stream()
                .filter(each -> each.getValue().contains(address))
                .map(Map.Entry::getKey)
                .sorted()
                .findFirst();
    }

    @Override
    public boolean mayResolve(String name) {
        return names.contains(name);
    }

    @Override
    public boolean pinned() {
        return !names.isEmpty();
    }

    @Override
    public boolean mayBeLedTo(InetAddress address) {
        return !address.isSiteLocalAddress() && !address.isLoopbackAddress() && !address.isLinkLocalAddress();
    }

    @Override
    public void grant(List<Inet4Address> addresses, Duration time) {
        addresses.forEach(address -> granted.put(address, time));
    }
}
