package dev.bobbin.scheduler.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.Limits;
import dev.bobbin.scheduler.placement.Placement.Ranking;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class PlacementTest {
    private static final long GIB = 1L << 30;

    private final Placement placement = new Placement();

    private static Limits limits(long memory, double cpus) {
        var usual = Limits.DEFAULT;
        return new Limits(memory, cpus, usual.pids(), usual.time(), usual.outputBytes(), usual.diskBytes());
    }

    private static Host host(String name, int cpus, long memory, int running) {
        return new Host(new HostId(name), cpus, memory, 32_768, running);
    }

    private static ClusterView view(Host... hosts) {
        return new ClusterView(hosts[0].id(), List.of(hosts));
    }

    private static List<Candidate> candidates(Ranking ranking) {
        return switch (ranking) {
            case Ranking.Candidates some -> some.hosts();
            case Ranking.NoneFits none -> throw new AssertionError(none.detail());
        };
    }

    private static String misfit(Ranking ranking) {
        return switch (ranking) {
            case Ranking.Candidates some -> throw new AssertionError(some);
            case Ranking.NoneFits none -> none.field();
        };
    }

    @Test
    void refusesAJobLargerThanAnyHostAndSaysWhy() {
        var view = view(host("a", 2, 4 * GIB, 0));
        assertThat(misfit(placement.rank(limits(5 * GIB, 0), view))).isEqualTo("limits.memory");
        assertThat(misfit(placement.rank(limits(GIB, 2.5), view))).isEqualTo("limits.cpus");
        var forks = new Limits(GIB, 0, 32_769, Limits.DEFAULT.time(), 1, 1 << 20);
        assertThat(misfit(placement.rank(forks, view))).isEqualTo("limits.pids");
        var two = view(host("a", 1, 8 * GIB, 0), host("b", 8, GIB, 0));
        assertThat(misfit(placement.rank(limits(8 * GIB, 8), two))).isEqualTo("limits");
    }

    @Test
    void asksThisHostFirstAndThenTheLeastBusy() {
        var view = view(host("here", 2, GIB, 100), host("busy", 2, GIB, 9), host("calm", 8, GIB, 10));
        assertThat(candidates(placement.rank(limits(GIB, 1), view)))
                .extracting(candidate -> candidate.host().id().name())
                .containsExactly("here", "calm", "busy");
    }

    @Test
    void takesABusyHostSinceLimitsAreCaps() {
        assertThat(candidates(placement.rank(limits(GIB, 2), view(host("a", 2, GIB, 10_000)))))
                .hasSize(1);
    }

    @Test
    void ranksEveryFittingHostOnceWhateverTheOrderOfTheView() {
        var seed = new Random().nextLong();
        System.out.println("PlacementTest seed " + seed);
        var random = new Random(seed);
        for (var round = 0; round < 500; round++) {
            var hosts = new ArrayList<Host>();
            for (var index = 0; index <= random.nextInt(8); index++) {
                hosts.add(host("h" + index, 1 + random.nextInt(8), (1 + random.nextInt(8)) * GIB, random.nextInt(50)));
            }
            var limits = limits((1 + random.nextInt(8)) * GIB, random.nextInt(8));
            var fitting = hosts.stream()
                    .filter(host -> host.memoryBytes() >= limits.memoryBytes() && host.cpus() >= limits.cpus())
                    .toList();
            var here = hosts.get(random.nextInt(hosts.size())).id();
            var ranking = placement.rank(limits, new ClusterView(here, hosts));
            if (fitting.isEmpty()) {
                assertThat(misfit(ranking)).startsWith("limits");
                continue;
            }
            var ranked = candidates(ranking).stream().map(Candidate::host).toList();
            assertThat(ranked).containsExactlyInAnyOrderElementsOf(fitting);
            if (fitting.stream().anyMatch(host -> host.id().equals(here))) {
                assertThat(ranked.getFirst().id()).isEqualTo(here);
            }
            Collections.shuffle(hosts, random);
            assertThat(placement.rank(limits, new ClusterView(here, hosts))).isEqualTo(ranking);
        }
    }
}
