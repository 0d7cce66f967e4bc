package dev.bobbin.runner;

import java.util.Optional;
import java.util.UUID;

/// The name of one job for as long as anything is known of it: a UUID of version 7, so ids sort by age.
/// Not a secret: knowing an id grants nothing.
public record JobId(UUID value) implements Comparable<JobId> {

    public static JobId next() {
        return new JobId(TimeOrderedId.next());
    }

    /// The id written as `text` in canonical form, or nothing if it is not one.
    public static Optional<JobId> parse(String text) {
        return TimeOrderedId.parse(text).map(JobId::new);
    }

    @Override
    public int compareTo(JobId other) {
        return value.toString().compareTo(other.value.toString());
    }

    @Override
    public String toString() {
        return value.toString();
    }
}
