package dev.bobbin.scheduler.placement;

/// The name of a host among all hosts.
public record HostId(String name) implements Comparable<HostId> {
    public HostId {
        if (name.isBlank()) {
            throw new IllegalArgumentException("a host's name must not be blank");
        }
    }

    @Override
    public int compareTo(HostId other) {
        return name.compareTo(other.name);
    }

    @Override
    public String toString() {
        return name;
    }
}
