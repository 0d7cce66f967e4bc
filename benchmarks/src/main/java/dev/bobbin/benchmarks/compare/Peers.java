package dev.bobbin.benchmarks.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// The other programs that isolate a process, as far as they are installed. All run the same `true` in the same root of
/// two files.
final class Peers {
    private static final List<String> PACKAGES =
            List.of("bubblewrap", "crun", "runc", "podman", "docker.io", "busybox-static");
    private static final Duration DOCKER_START = Duration.ofSeconds(30);

    /// crun refuses a machine with both cgroup versions, so it sees only the first one.
    private static final List<String> WITHOUT_UNIFIED = List.of(
            "unshare",
            "-m",
            "sh",
            "-c",
            "if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi; exec \"$@\"",
            "sh");

    private final Scratch scratch;
    private final Path root;

    Peers(Scratch scratch, Path truth) throws IOException {
        this.scratch = scratch;
        this.root = scratch.directory().resolve("root");
        for (var each : List.of("bin", "proc", "sys", "dev", "tmp", "etc")) {
            Files.createDirectories(root.resolve(each));
        }
        Files.copy(truth, root.resolve("bin/true"));
        var busybox = Path.of("/bin/busybox");
        if (Files.exists(busybox)) {
            Files.copy(busybox, root.resolve("bin/busybox"));
        }
    }

    static void install() throws IOException, InterruptedException {
        Scratch.run(List.of("apt-get", "update", "-q"));
        var command = new ArrayList<>(List.of(
                "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-qy", "--no-install-recommends"));
        command.addAll(PACKAGES);
        Scratch.run(command);
    }

    List<Contender> installed() throws IOException, InterruptedException {
        var peers = new ArrayList<Contender>();
        if (isInstalled("bwrap")) {
            var command = List.of("bwrap", "--unshare-all", "--cap-drop", "ALL", "--ro-bind", root.toString(), "/");
            peers.add(Contender.spawned(
                    "bubblewrap",
                    40,
                    joined(command, List.of("--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "/bin/true"))));
        }
        if (isInstalled("crun")) {
            peers.add(Contender.spawned("crun", 30, joined(WITHOUT_UNIFIED, oci("crun"))));
        }
        if (isInstalled("runc")) {
            peers.add(Contender.spawned("runc", 20, oci("runc")));
        }
        if (isInstalled("podman")) {
            peers.add(Contender.spawned("podman run", 5, joined(WITHOUT_UNIFIED, podman())));
        }
        if (isInstalled("dockerd") && isInstalled("docker")) {
            docker().ifPresent(peers::add);
        }
        return peers;
    }

    private static boolean isInstalled(String program) {
        return Stream.of("/usr/local/bin", "/usr/bin", "/usr/sbin", "/usr/local/sbin")
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, program)));
    }

    private static List<String> joined(List<String> first, List<String> second) {
        return Stream.concat(first.stream(), second.stream()).toList();
    }

    /// A bundle as `spec` makes it, without a terminal.
    private List<String> oci(String runtime) throws IOException, InterruptedException {
        var bundle = Files.createDirectory(scratch.directory().resolve("bundle-" + runtime));
        Scratch.run(List.of("sh", "-c", "cd \"$1\" && exec \"$2\" spec", "sh", bundle.toString(), runtime));
        var config = bundle.resolve("config.json");
        Files.writeString(
                config,
                Files.readString(config)
                        .replaceFirst("\"terminal\": true", "\"terminal\": false")
                        .replaceFirst("\"args\": \\[\\s*\"sh\"\\s*]", "\"args\": [\"/bin/true\"]")
                        .replaceFirst("\"path\": \"rootfs\"", "\"path\": \"" + root + "\""));
        return List.of(
                runtime,
                "--root",
                scratch.directory().resolve("state-" + runtime).toString(),
                "run",
                "--bundle",
                bundle.toString(),
                "{}");
    }

    private List<String> podman() {
        var own = scratch.directory().resolve("podman");
        return List.of(
                "podman",
                "--root",
                own.resolve("root").toString(),
                "--runroot",
                own.resolve("run").toString(),
                "--storage-driver",
                "vfs",
                "--cgroup-manager",
                "cgroupfs",
                "--events-backend",
                "none",
                "run",
                "--rm",
                "--ulimit", // its own defaults are refused where a limit may not be raised
                "nofile=1024:1024",
                "--ulimit",
                "nproc=1024:1024",
                "--network",
                "none",
                "--log-driver",
                "none",
                "--rootfs",
                root.toString(),
                "/bin/true");
    }

    /// A daemon of our own, with its own directories and without a network.
    private Optional<Contender> docker() throws IOException, InterruptedException {
        var own = Files.createDirectory(scratch.directory().resolve("docker"));
        var socket = "unix://" + own.resolve("docker.sock");
        var daemon = scratch.serve(
                scratch.directory().resolve("dockerd.log"),
                List.of(
                        "dockerd",
                        "--host",
                        socket,
                        "--data-root",
                        own.resolve("data").toString(),
                        "--exec-root",
                        own.resolve("exec").toString(),
                        "--pidfile",
                        own.resolve("pid").toString(),
                        "--bridge",
                        "none",
                        "--iptables=false",
                        "--storage-driver",
                        "overlay2"));
        var deadline = System.nanoTime() + DOCKER_START.toNanos();
        while (!Files.exists(own.resolve("docker.sock"))) {
            if (!daemon.isAlive() || System.nanoTime() > deadline) {
                System.err.println("compare: dockerd does not start here, so docker is left out");
                return Optional.empty();
            }
            Thread.sleep(Duration.ofMillis(100));
        }
        Scratch.run(List.of(
                "sh", "-c", "tar -C \"$1\" -c . | docker -H \"$2\" import - same-root", "sh", root.toString(), socket));
        return Optional.of(Contender.spawned(
                "docker run",
                4,
                List.of("docker", "-H", socket, "run", "--rm", "--network", "none", "same-root", "/bin/true")));
    }
}
