package dev.bobbin.runner.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Where a Bobbin makes its cgroups on a machine with v2 alone, by where it was started. The tests move their own JVM
/// about in the real tree, with another process beside it.
class UnifiedPlaceIT {
    private static final Path TOP = Path.of("/sys/fs/cgroup");
    private static final List<String> WANTED = List.of("memory", "cpu", "pids");
    private static final String US = Long.toString(ProcessHandle.current().pid());

    private final String name = "bobbin-test-" + UUID.randomUUID();
    private final Path slice = TOP.resolve("test-" + UUID.randomUUID());
    private final Path session = slice.resolve("session");

    @TempDir
    Path directory;

    private Path home;
    private Process other;

    @BeforeEach
    void startInASession() throws Exception {
        if (!UnifiedPlace.words(TOP.resolve("cgroup.controllers")).containsAll(WANTED)) {
            System.out.println("UnifiedPlaceIT: the version 2 tree of this machine does not offer " + WANTED);
            abort("no controllers in version 2");
        }
        home = current();
        UnifiedPlace.write(TOP, WANTED);
        Files.createDirectories(session);
        UnifiedPlace.write(slice, List.of("memory", "pids"));
        Files.writeString(session.resolve("cgroup.procs"), US);
        other = new ProcessBuilder("sleep", "1000").start();
    }

    @AfterEach
    void leaveTheSession() throws Exception {
        if (other != null) {
            other.destroyForcibly().waitFor();
            Files.writeString(home.resolve("cgroup.procs"), US);
            Files.delete(session);
            Files.delete(slice);
        }
    }

    @Test
    void leavesOthersInPeaceAndTakesTheNearestCgroupWithoutProcesses() throws Exception {
        try (var cgroups = open()) {
            assertThat(cgroups.unenforced()).isEmpty();
            assertThat(slice.resolve(name)).isDirectory();
            assertThat(current()).isEqualTo(session);
            assertThat(UnifiedPlace.words(session.resolve("cgroup.procs"))).contains(String.valueOf(other.pid()));
        }
        assertThat(slice.resolve(name)).doesNotExist();
    }

    @Test
    void climbsWhereAControllerIsMissing() throws Exception {
        end(other);
        assertThat(UnifiedPlace.words(session.resolve("cgroup.controllers"))).doesNotContain("cpu");
        try (var cgroups = open()) {
            assertThat(cgroups.unenforced()).isEmpty();
            assertThat(slice.resolve(name)).isDirectory();
            assertThat(current()).isEqualTo(session);
        }
    }

    @Test
    void movesToALeafOfACgroupThatIsOursAloneAndBackAtTheEnd() throws Exception {
        end(other);
        UnifiedPlace.write(slice, WANTED);
        try (var cgroups = open()) {
            assertThat(cgroups.unenforced()).isEmpty();
            assertThat(session.resolve(name)).isDirectory();
            assertThat(current()).isEqualTo(session.resolve(name + ".server"));
        }
        assertThat(current()).isEqualTo(session);
        assertThat(session.resolve(name + ".server")).doesNotExist();
        assertThat(UnifiedPlace.words(session.resolve("cgroup.subtree_control")))
                .isEmpty();
    }

    @Test
    void findsTheCgroupsOfAnEarlierServerAndRemovesItsLeaf() throws Exception {
        end(other);
        UnifiedPlace.write(slice, WANTED);
        var earlier = open().arguments();
        var leaf = session.resolve(name + ".server");
        assertThat(current()).isEqualTo(leaf);
        Files.writeString(home.resolve("cgroup.procs"), US);
        try (var later = open()) {
            assertThat(later.arguments()).isEqualTo(earlier);
        }
        assertThat(leaf).as("what the earlier server left").doesNotExist();
        assertThat(session.resolve(name)).doesNotExist();
    }

    @Test
    void movesEverybodyWhereNothingAboveCanBeSeen() throws Exception {
        UnifiedPlace.write(slice, WANTED);
        assertThat(UnifiedPlace.choose(session, session, WANTED)).isEqualTo(session);
        var place = UnifiedPlace.handOn(session, "leaf", WANTED);
        assertThat(UnifiedPlace.words(session.resolve("leaf/cgroup.procs")))
                .isEqualTo(Set.of(US, String.valueOf(other.pid())));
        assertThat(UnifiedPlace.choose(session.resolve("leaf"), session, WANTED))
                .isEqualTo(session);
        place.takeBack();
        assertThat(UnifiedPlace.words(session.resolve("cgroup.procs")))
                .isEqualTo(Set.of(US, String.valueOf(other.pid())));
    }

    @Test
    void staysInItsLeafWhileAnotherHasCgroupsBesideIt() throws Exception {
        end(other);
        UnifiedPlace.write(slice, WANTED);
        var first = open();
        var neighbour = Files.createDirectory(session.resolve("neighbour"));
        first.close();
        assertThat(current()).isEqualTo(session.resolve(name + ".server"));
        Files.delete(neighbour);
        Files.writeString(home.resolve("cgroup.procs"), US);
        Files.delete(session.resolve(name + ".server"));
    }

    private Cgroups open() throws Exception {
        return Cgroups.open(name, directory.resolve("noted"), List.of());
    }

    private static void end(Process process) throws Exception {
        process.destroyForcibly();
        assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
    }

    private static Path current() throws Exception {
        var line = Files.readAllLines(Path.of("/proc/self/cgroup")).getLast();
        return TOP.resolve(line.replaceFirst("^0::/", "")).normalize();
    }
}
