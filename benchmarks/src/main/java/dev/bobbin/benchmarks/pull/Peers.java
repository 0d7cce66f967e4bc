package dev.bobbin.benchmarks.pull;

import dev.bobbin.benchmarks.compare.Scratch;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// The other programs that bring images, as far as they are installed, each with directories of its own.
final class Peers {
    private static final List<String> PACKAGES =
            List.of("podman", "skopeo", "umoci", "docker.io", "docker-registry", "busybox-static");

    private final Scratch scratch;

    Peers(Scratch scratch) {
        this.scratch = scratch;
    }

    static void install() throws IOException, InterruptedException {
        Scratch.install(PACKAGES);
    }

    List<Puller> installed() throws IOException, InterruptedException {
        var peers = new ArrayList<Puller>();
        if (Scratch.isInstalled("podman")) {
            peers.add(podman());
        }
        if (Scratch.isInstalled("skopeo") && Scratch.isInstalled("umoci")) {
            peers.add(skopeo());
        }
        if (Scratch.isInstalled("dockerd") && Scratch.isInstalled("docker")) {
            scratch.dockerd().map(Peers::docker).ifPresent(peers::add);
        }
        return peers;
    }

    private Puller podman() throws IOException {
        var own = Files.createDirectory(scratch.directory().resolve("podman"));
        var podman = List.of(
                "podman",
                "--root",
                own.resolve("root").toString(),
                "--runroot",
                own.resolve("run").toString(),
                "--storage-driver",
                "overlay",
                "--events-backend",
                "none");
        return new Commands(
                "podman pull",
                image -> List.of(joined(podman, "pull", "-q", "--tls-verify=false", image)),
                image -> List.of(joined(podman, "rmi", "-f", image)));
    }

    private Puller skopeo() throws IOException {
        var own = Files.createDirectory(scratch.directory().resolve("skopeo"));
        var layout = own.resolve("layout").toString();
        var bundle = own.resolve("bundle");
        return new Commands(
                "skopeo copy + umoci unpack",
                image -> List.of(
                        List.of(
                                "skopeo",
                                "--insecure-policy",
                                "copy",
                                "-q",
                                "--src-tls-verify=false",
                                "docker://" + image,
                                "oci:" + layout + ":it"),
                        List.of("umoci", "unpack", "--image", layout + ":it", bundle.toString())),
                _ -> List.of(
                        List.of(bundle.resolve("rootfs/bin/busybox").toString(), "true"),
                        List.of("rm", "-rf", layout, bundle.toString())));
    }

    private static Puller docker(String socket) {
        var docker = List.of("docker", "-H", socket);
        return new Commands(
                "docker pull",
                image -> List.of(joined(docker, "pull", "-q", image)),
                image -> List.of(joined(docker, "rmi", "-f", image)));
    }

    private static List<String> joined(List<String> first, String... rest) {
        return Stream.concat(first.stream(), Stream.of(rest)).toList();
    }

    /// What of an image is asked from a program.
    private interface Lines {
        List<List<String>> of(String image);
    }

    private record Commands(String name, Lines pulls, Lines forgets) implements Puller {
        @Override
        public void pull(String image) throws IOException, InterruptedException {
            for (var command : pulls.of(image)) {
                Scratch.run(command);
            }
        }

        @Override
        public void forget(String image) throws IOException, InterruptedException {
            for (var command : forgets.of(image)) {
                Scratch.run(command);
            }
        }
    }
}
