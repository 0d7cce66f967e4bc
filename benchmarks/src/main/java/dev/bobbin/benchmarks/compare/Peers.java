package dev.bobbin.benchmarks.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// The other programs that isolate a process, as far as they are installed. All run the same `true` in the same root of
/// two files.
final class Peers {
    private static final List<String> PACKAGES =
            List.of("bubblewrap", "crun", "runc", "podman", "docker.io", "buildah", "busybox-static");

    /// A container in which others are started, and what it does meanwhile.
    private static final String LASTING = "lasting";

    private static final List<String> WAITING = List.of("/bin/busybox", "sleep", "100000");

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
        Scratch.install(PACKAGES);
    }

    List<Contender> installed() throws IOException, InterruptedException {
        var peers = new ArrayList<Contender>();
        if (Scratch.isInstalled("bwrap")) {
            var command = List.of("bwrap", "--unshare-all", "--cap-drop", "ALL", "--ro-bind", root.toString(), "/");
            peers.add(Contender.spawned(
                    "bubblewrap",
                    40,
                    joined(command, List.of("--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "/bin/true"))));
        }
        if (Scratch.isInstalled("crun")) {
            peers.add(Contender.spawned("crun", 30, joined(WITHOUT_UNIFIED, oci("crun"))));
        }
        if (Scratch.isInstalled("runc")) {
            peers.add(Contender.spawned("runc", 20, oci("runc")));
        }
        if (Scratch.isInstalled("podman")) {
            peers.add(Contender.spawned("podman run", 5, podmanRun(List.of(), List.of("/bin/true"))));
            podmanExec().ifPresent(peers::add);
        }
        if (Scratch.isInstalled("dockerd") && Scratch.isInstalled("docker")) {
            var socket = scratch.dockerd();
            if (socket.isPresent()) {
                peers.addAll(docker(socket.get()));
            }
        }
        return peers;
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

    private List<String> podman(List<String> command) {
        var own = scratch.directory().resolve("podman");
        return joined(
                joined(
                        WITHOUT_UNIFIED,
                        List.of(
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
                                "none")),
                command);
    }

    private List<String> podmanRun(List<String> more, List<String> program) {
        var command = List.of(
                "run",
                "--rm",
                "--ulimit", // its own defaults are refused where a limit may not be raised
                "nofile=1024:1024",
                "--ulimit",
                "nproc=1024:1024",
                "--network",
                "none",
                "--log-driver",
                "none");
        return podman(joined(joined(command, more), joined(List.of("--rootfs", root.toString()), program)));
    }

    /// A command in a container that runs until the end; nothing if this machine cannot have one.
    private Optional<Contender> podmanExec() throws InterruptedException {
        if (!Files.exists(root.resolve("bin/busybox"))) {
            return Optional.empty();
        }
        try {
            Scratch.run(podmanRun(List.of("--detach", "--name", LASTING), WAITING));
        } catch (IOException e) {
            System.err.println("compare: podman exec is left out: " + e.getMessage());
            return Optional.empty();
        }
        scratch.runAtEnd(podman(List.of("rm", "--force", "--time", "0", LASTING)));
        return Optional.of(Contender.spawned("podman exec", 5, podman(List.of("exec", LASTING, "/bin/true"))));
    }

    private List<Contender> docker(String socket) throws IOException, InterruptedException {
        Scratch.run(List.of(
                "sh", "-c", "tar -C \"$1\" -c . | docker -H \"$2\" import - same-root", "sh", root.toString(), socket));
        var docker = List.of("docker", "-H", socket);
        var peers = new ArrayList<Contender>();
        peers.add(Contender.spawned(
                "docker run",
                4,
                joined(docker, List.of("run", "--rm", "--network", "none", "same-root", "/bin/true"))));
        if (Files.exists(root.resolve("bin/busybox"))) {
            var lasting = List.of("run", "--rm", "--detach", "--network", "none", "--name", LASTING, "same-root");
            Scratch.run(joined(joined(docker, lasting), WAITING));
            scratch.runAtEnd(joined(docker, List.of("rm", "--force", LASTING)));
            peers.add(Contender.spawned("docker exec", 8, joined(docker, List.of("exec", LASTING, "/bin/true"))));
        }
        return peers;
    }
}
