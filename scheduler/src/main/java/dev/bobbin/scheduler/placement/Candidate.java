package dev.bobbin.scheduler.placement;

/// A host that could take the job, and why it stands where it stands in the ranking.
public record Candidate(Host host, Reason reason) {

    public enum Reason {
        /// It is the host that was asked.
        HERE,
        /// Of the others, the fewer jobs per processor the earlier.
        LESS_BUSY
    }
}
