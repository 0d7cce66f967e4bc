package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Mount;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.volume.BindConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/// What is mounted in sandboxes besides their image, what cannot be, and what those who share it may try.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(240)
class MountsIT {
    private static final int ATTACKS = 400;

    private TestHost host;
    private Path machine;
    private Path readable;
    private Path writable;

    @BeforeAll
    void open() throws Exception {
        machine = Files.createTempDirectory("bobbin-binds").toRealPath();
        readable = Files.createDirectory(machine.resolve("readable"));
        writable = Files.createDirectory(machine.resolve("writable"));
        Files.writeString(machine.resolve("secret"), "secret\n");
        host = TestHost.open(4, new BindConfig(List.of(readable), List.of(writable), false));
    }

    @AfterAll
    void close() throws Exception {
        host.close();
        try (var files = Files.walk(machine)) {
            for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private static Mount volume(String name, String target) {
        return new Mount.Volume(name, target, false);
    }

    private static Mount bind(Path source, String target, boolean readOnly) {
        return new Mount.Bind(source.toString(), target, readOnly);
    }

    private TestHost.Request script(String script, Mount... mounts) {
        var request = host.request("sh", "-c", script);
        List.of(mounts).forEach(request::mount);
        return request;
    }

    private Path files(String volume) {
        var id = host.runtime().volumes().find("default", volume).orElseThrow().id();
        return host.dataDir().resolve("volumes").resolve(id.toString()).resolve("data");
    }

    @Test
    void mountsWhatLiesInAnotherAfterIt() throws Exception {
        var result = script(
                        "echo x > /data/x; echo y > /data/in/y; echo z > /data/in/er/z; ls /data /data/in /data/in/er",
                        new Mount.Tmpfs("/data/in/er", 1 << 20),
                        volume("inner", "/data//in/"),
                        volume("outer", "/data"))
                .run();
        assertThat(result.stdout())
                .as(result.stderr())
                .isEqualTo("/data:\nin\nx\n\n/data/in:\ner\ny\n\n/data/in/er:\nz\n");
        assertThat(files("outer").resolve("x")).hasContent("x\n");
        assertThat(files("outer").resolve("in")).isEmptyDirectory();
        assertThat(files("inner").resolve("y")).hasContent("y\n");
        assertThat(files("inner").resolve("er")).isEmptyDirectory();
    }

    @Test
    void limitsATmpfs() throws Exception {
        var result = script(
                        "dd if=/dev/zero of=/t/f bs=4096 count=300 2>/dev/null; stat -c %s /t/f; stat -c '%u %a' /t",
                        new Mount.Tmpfs("/t", 1 << 20))
                .run();
        assertThat(result.stdout()).as(result.stderr()).isEqualTo("1048576\n0 1777\n");
    }

    @Test
    void laysFilesAndWorkingDirectoryInAVolume() throws Exception {
        var result = script("pwd; cat given; id -u; stat -c %u . given; echo more > made", volume("work", "/data"))
                .workdir("/data/deep/er")
                .user("nobody")
                .file("given", "given\n", 0644)
                .run();
        assertThat(result.stdout()).as(result.stderr()).isEqualTo("/data/deep/er\ngiven\n65534\n65534\n65534\n");
        assertThat(files("work").resolve("deep/er/made")).hasContent("more\n");
        assertThat(Files.getAttribute(files("work").resolve("deep/er/given"), "unix:uid"))
                .isEqualTo(65534);
    }

    @Test
    void givesAnEmptyVolumeToTheUserOfTheDirectoryItCovers() throws Exception {
        var made = script("touch /new/x && stat -c '%u %a' /new", volume("fresh", "/new"))
                .user("nobody")
                .run();
        assertThat(made.stdout()).as(made.stderr()).isEqualTo("65534 755\n");
        var later = script("stat -c '%u %a' /tmp", volume("fresh", "/tmp")).run();
        assertThat(later.stdout()).isEqualTo("65534 755\n");
        assertThat(script("stat -c '%u %a' /tmp", volume("fresh-too", "/tmp"))
                        .run()
                        .stdout())
                .isEqualTo("0 1777\n");
    }

    @Test
    void writesNothingWhereItIsReadOnly() throws Exception {
        script("echo x > /v/x", volume("ro", "/v")).run();
        var result = script(
                        "cat /v/x; touch /v/y; mount -o remount,rw /v; chmod 777 /v/x",
                        new Mount.Volume("ro", "/v", true))
                .run();
        assertThat(result.stdout()).isEqualTo("x\n");
        assertThat(result.stderr()).contains("Read-only file system");
        assertThat(files("ro")).isDirectoryContaining("glob:**/x").isDirectoryNotContaining("glob:**/y");
        var file = script("true", new Mount.Volume("ro", "/v", true))
                .workdir("/v/made")
                .run();
        assertThat(file.ending().outcome()).isInstanceOf(Outcome.SandboxError.class);
    }

    @Test
    void bindsDirectoriesAndFilesBeneathAPrefix() throws Exception {
        Files.createDirectories(readable.resolve("data"));
        Files.writeString(readable.resolve("data/file"), "from the machine\n");
        Files.createDirectories(writable.resolve("out"));
        var result = script(
                        "cat /in/file /etc/one; touch /in/x /etc/one; echo made > /out/made; id -u",
                        bind(readable.resolve("data"), "/in", true),
                        bind(readable.resolve("data/file"), "/etc/one", true),
                        bind(writable.resolve("out"), "/out", false))
                .run();
        assertThat(result.stdout()).as(result.stderr()).isEqualTo("from the machine\nfrom the machine\n0\n");
        assertThat(result.stderr()).contains("'/in/x': Read-only", "'/etc/one': Read-only");
        assertThat(writable.resolve("out/made")).hasContent("made\n");
        assertThat(Files.getAttribute(writable.resolve("out/made"), "unix:uid")).isEqualTo(0);
    }

    private void refused(Mount mount, Refusal.Reason reason, String says) throws Exception {
        var refusal = script("true", mount).refusal();
        assertThat(refusal.reason()).as(refusal.detail()).isEqualTo(reason);
        assertThat(refusal.detail()).startsWith("mounts[0].source: ").contains(says);
        assertThat(refusal.field()).isEqualTo("mounts[0].source");
    }

    @Test
    void refusesWhatIsNotAllowedOrNotThere() throws Exception {
        Files.createSymbolicLink(readable.resolve("out"), machine);
        Files.createSymbolicLink(readable.resolve("etc"), Path.of("/etc"));
        new ProcessBuilder("mkfifo", readable.resolve("pipe").toString())
                .start()
                .waitFor();
        refused(bind(Path.of("/etc"), "/x", true), Refusal.Reason.FORBIDDEN, "host.bind-prefixes");
        refused(bind(machine, "/x", true), Refusal.Reason.FORBIDDEN, "host.bind-prefixes");
        refused(bind(readable.resolve("out"), "/x", true), Refusal.Reason.FORBIDDEN, "leads out of");
        refused(bind(readable.resolve("out/secret"), "/x", true), Refusal.Reason.FORBIDDEN, "leads out of");
        refused(bind(readable.resolve("etc/shadow"), "/x", true), Refusal.Reason.FORBIDDEN, "leads out of");
        refused(bind(readable, "/x", false), Refusal.Reason.FORBIDDEN, "host.writable-bind-prefixes");
        refused(bind(readable.resolve("absent"), "/x", true), Refusal.Reason.BAD_MOUNT, "not there");
        refused(bind(readable.resolve("pipe"), "/x", true), Refusal.Reason.BAD_MOUNT, "neither");
        assertThat(host.runtime().volumes().list("default"))
                .noneMatch(volume -> volume.name().equals("x"));
    }

    @Test
    void findsOtherFileSystemsBelowAPrefixAndSaysWhichCannotBeMounted() throws Exception {
        var disk = Files.createDirectory(writable.resolve("disk"));
        var odd = Files.createDirectory(writable.resolve("odd"));
        mount("-t", "tmpfs", "none", disk.toString());
        try {
            mount("-t", "ramfs", "none", odd.toString());
            Files.writeString(disk.resolve("file"), "later\n");
            assertThat(script("cat /d/file", bind(disk, "/d", false)).run().stdout())
                    .isEqualTo("later\n");
            // what is mounted below comes not with it
            assertThat(script("ls /w/disk", bind(writable, "/w", false)).run().stdout())
                    .isEmpty();
            var outcome =
                    script("true", bind(odd, "/odd", false)).run().ending().outcome();
            assertThat(outcome)
                    .isInstanceOfSatisfying(
                            Outcome.SandboxError.class,
                            error -> assertThat(error.detail()).contains("map the ids of what to mount at /odd"));
        } finally {
            umount(odd);
            umount(disk);
        }
        Files.delete(odd);
        Files.delete(disk);
    }

    private static void mount(String... arguments) throws Exception {
        var command = new ArrayList<>(List.of("mount"));
        command.addAll(List.of(arguments));
        assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
    }

    private static void umount(Path path) throws Exception {
        new ProcessBuilder("umount", path.toString()).start().waitFor();
    }

    @Test
    void makesSetuidAndDevicesOfNoUse() throws Exception {
        script("cp /usr/bin/id /v/id && chmod 4755 /v/id", volume("odd", "/v")).run();
        for (var place : List.of(files("odd"), Files.createDirectories(writable.resolve("nodes")))) {
            assertThat(new ProcessBuilder(
                                    "mknod", "-m", "666", place.resolve("zero").toString(), "c", "1", "5")
                            .start()
                            .waitFor())
                    .isZero();
        }
        var result = script(
                        "/v/id -u; head -c 1 /v/zero; head -c 1 /b/zero; mknod /v/mine c 1 5;"
                                + " grep -cE ' /[vb] rw,(\\S*,)?nosuid,nodev' /proc/self/mountinfo",
                        volume("odd", "/v"),
                        bind(writable.resolve("nodes"), "/b", false))
                .user("nobody")
                .run();
        assertThat(result.stdout()).as(result.stderr()).isEqualTo("65534\n2\n");
        assertThat(result.stderr().lines().filter(line -> line.contains("Permission denied")))
                .hasSizeGreaterThanOrEqualTo(2);
    }

    @Test
    void hidesVolumesFromTheMachinesUsers() throws Exception {
        script("touch /v/x", volume("hidden", "/v")).run();
        var directory = host.dataDir().resolve("volumes");
        for (var path : List.of(directory, files("hidden").getParent())) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                    .isEqualTo("rwx------");
        }
        var record = files("hidden").resolveSibling("volume.json");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(record)))
                .isEqualTo("rw-------");
    }

    @Test
    void keepsToTheKernelsTreesAndTheRoot() throws Exception {
        script(
                        "ln -s /proc/sys /v/proc; ln -s / /v/root; ln -s /dev/shm /v/dev; ln -s nowhere /v/lost",
                        volume("links", "/v"))
                .run();
        for (var name : List.of("proc", "root", "dev", "lost")) {
            var outcome = script("true", volume("links", "/v"), new Mount.Tmpfs("/v/" + name, 4096))
                    .run()
                    .ending()
                    .outcome();
            assertThat(outcome).as(name).isInstanceOf(Outcome.SandboxError.class);
        }
    }

    /// Mount points of a sandbox, by its own `mountinfo`.
    private static Set<String> places(String mountinfo) {
        var places = new TreeSet<String>();
        mountinfo.lines().filter(line -> line.contains(" - ")).forEach(line -> places.add(line.split(" ", -1)[4]));
        return places;
    }

    @Test
    void leavesTheSandboxByNoRaceInASharedVolume() throws Exception {
        var attacker =
                host.place().probe().workdir("/w").mount(volume("shared", "/v")).create();
        assertThat(host.sh(
                                attacker,
                                "mkdir -p /v/a /v/c && cd /v && ln -s /etc etc && ln -s ../../../../.. up"
                                        + " && ln -s /proc/sys proc && ln -s /dev dev")
                        .exitCode())
                .isZero();
        for (var link : List.of("etc", "up", "proc", "dev")) {
            host.exec(attacker, "/w/probe", "swap", "/v/a", "/v/" + link, "/v/a", "/v/c")
                    .start();
        }
        var usual = places(host.sh("cat /proc/self/mountinfo").stdout());
        var seen = new TreeSet<String>();
        var failed = 0;
        for (var result : inParallel(
                ATTACKS,
                () -> script(
                                "cat /proc/self/mountinfo; echo; pwd; ls /proc/self > /dev/null",
                                volume("shared", "/v"),
                                new Mount.Tmpfs("/v/a/raced-mount", 1 << 16))
                        .workdir("/v/a/raced-work")
                        .file("planted", "x", 0600)
                        .run())) {
            if (result.ending().outcome() instanceof Outcome.SandboxError) {
                failed++;
                continue;
            }
            assertThat(result.ending().outcome()).as(result.stderr()).isEqualTo(new Outcome.Exited(0));
            var places = places(result.stdout());
            assertThat(places).containsAll(usual).contains("/v");
            places.removeAll(usual);
            places.remove("/v");
            assertThat(places).noneMatch(place -> place.matches("/|/(proc|sys|dev)(/.*)?"));
            seen.addAll(places);
        }
        attacker.remove();
        assertThat(seen).hasSizeGreaterThan(1);
        assertThat(failed).isLessThan(ATTACKS);
        for (var directory : List.of(
                "/", "/etc", "/dev", host.dataDir().toString(), host.runDir().toString())) {
            for (var name : List.of("raced-mount", "raced-work")) {
                assertThat(Path.of(directory, name)).doesNotExist();
            }
        }
    }

    @Test
    void leavesThePrefixByNoRaceOnTheMachine() throws Exception {
        var good = Files.createDirectories(writable.resolve("race/good"));
        Files.writeString(good.resolve("mine"), "mine\n");
        Files.createSymbolicLink(writable.resolve("race/evil"), Path.of("/etc"));
        Files.createSymbolicLink(writable.resolve("race/up"), Path.of("../../secret"));
        var reached = 0;
        var swapping = new ProcessBuilder(
                        Path.of("target/native/probe").toAbsolutePath().toString(),
                        "swap",
                        good.toString(),
                        writable.resolve("race/evil").toString(),
                        good.toString(),
                        writable.resolve("race/up").toString())
                .start();
        try {
            var results = inParallel(ATTACKS, () -> {
                var attempt = script("ls /b; cat /b", bind(good, "/b", false)).attempt();
                return attempt instanceof dev.bobbin.runner.Attempt.Accepted(Execution execution)
                        ? TestHost.Result.of(execution)
                        : null;
            });
            for (var result : results) {
                if (result != null && !(result.ending().outcome() instanceof Outcome.SandboxError)) {
                    assertThat(result.stdout()).isEqualTo("mine\n");
                    reached++;
                }
            }
        } finally {
            swapping.destroyForcibly();
        }
        assertThat(reached).isPositive();
    }

    private static <T> List<T> inParallel(int times, Callable<T> work) throws Exception {
        var results = new ArrayList<T>();
        try (var tasks = Executors.newFixedThreadPool(4)) {
            var all = new ArrayList<Callable<T>>();
            for (var time = 0; time < times; time++) {
                all.add(work);
            }
            for (var future : tasks.invokeAll(all)) {
                results.add(future.get());
            }
        }
        return results;
    }
}
