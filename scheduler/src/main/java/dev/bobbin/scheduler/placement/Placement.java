package dev.bobbin.scheduler.placement;

import dev.bobbin.runner.Job;
import dev.bobbin.runner.Limits;
import java.util.Comparator;
import java.util.List;

/// Ranks hosts for a job: this host first, then the least busy. Limits are caps and not reservations, so a busy host
/// still fits; a host that is too small never does.
public final class Placement {

    /// Who should be asked, in this order; or the reason why nobody can be.
    public sealed interface Ranking {
        /// Whom to ask, the best first; never nobody.
        record Candidates(List<Candidate> hosts) implements Ranking {
            public Candidates {
                hosts = List.copyOf(hosts);
            }
        }

        /// Too large for every host.
        ///
        /// @param field the limit that no host can keep, or `limits` if no host can keep all of them
        record NoneFits(String field, String detail) implements Ranking {}
    }

    public Ranking rank(Job job, ClusterView view) {
        return switch (job) {
            case Job.Run run -> rank(run.limits(), view);
        };
    }

    Ranking rank(Limits limits, ClusterView view) {
        var fitting = view.hosts().stream().filter(host -> fits(limits, host)).toList();
        if (fitting.isEmpty()) {
            return whyNone(limits, view.hosts());
        }
        if (fitting.size() == 1) {
            return new Ranking.Candidates(List.of(candidate(fitting.getFirst(), view)));
        }
        return new Ranking.Candidates(fitting.stream()
                .sorted(order(view))
                .map(host -> candidate(host, view))
                .toList());
    }

    private static boolean fits(Limits limits, Host host) {
        return limits.memoryBytes() <= host.memoryBytes()
                && limits.cpus() <= host.cpus()
                && limits.pids() <= host.pids();
    }

    private static Comparator<Host> order(ClusterView view) {
        return Comparator.comparing((Host host) -> !host.id().equals(view.here()))
                .thenComparingDouble(host -> (double) host.running() / host.cpus())
                .thenComparing(Host::id);
    }

    private static Candidate candidate(Host host, ClusterView view) {
        var here = host.id().equals(view.here());
        return new Candidate(host, here ? Candidate.Reason.HERE : Candidate.Reason.LESS_BUSY);
    }

    private static Ranking.NoneFits whyNone(Limits limits, List<Host> hosts) {
        if (hosts.isEmpty()) {
            return none("limits", "no host is known");
        }
        var memory = hosts.stream().mapToLong(Host::memoryBytes).max().orElseThrow();
        var cpus = hosts.stream().mapToInt(Host::cpus).max().orElseThrow();
        if (limits.memoryBytes() > memory) {
            return none(
                    "limits.memory",
                    limits.memoryBytes() + " bytes are more than the " + memory + " bytes of the largest host");
        }
        if (limits.cpus() > cpus) {
            return none("limits.cpus", limits.cpus() + " are more than the " + cpus + " of the largest host");
        }
        var pids = hosts.stream().mapToInt(Host::pids).max().orElseThrow();
        if (limits.pids() > pids) {
            return none("limits.pids", limits.pids() + " are more than the " + pids + " of the largest host");
        }
        return none("limits", "no host has this much memory, this many cpus and this many pids at once");
    }

    private static Ranking.NoneFits none(String field, String detail) {
        return new Ranking.NoneFits(field, field + ": " + detail);
    }
}
