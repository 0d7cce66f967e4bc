package dev.bobbin.image.archive;

import dev.bobbin.image.Tools;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A real `dockerd` of a test's own, without a network, beside any other. Asked by its API: the command may be missing.
public final class DockerDaemon implements AutoCloseable {
    private final Process process;
    private final Path directory;

    private DockerDaemon(Process process, Path directory) {
        this.process = process;
        this.directory = directory;
    }

    /// Settings, keys and run-time files of this machine's daemon are hidden from this one.
    public static DockerDaemon start(Path directory) throws Exception {
        Files.createDirectories(directory);
        var own = "for d in /etc/docker /run/docker; do mkdir -p $d; mount -t tmpfs none $d; done;"
                + "exec dockerd -H unix://%1$s/s --data-root %1$s/data --exec-root %1$s/exec -p %1$s/pid"
                        .formatted(directory)
                + " --bridge=none --iptables=false --ip-forward=false --ip-masq=false --storage-driver=vfs";
        var process = new ProcessBuilder(List.of("unshare", "-m", "sh", "-ec", own))
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile())
                .start();
        var daemon = new DockerDaemon(process, directory);
        for (var tries = 0; tries < 300 && process.isAlive(); tries++) {
            if (Files.exists(directory.resolve("s")) && daemon.answers()) {
                return daemon;
            }
            TimeUnit.MILLISECONDS.sleep(100);
        }
        daemon.close();
        throw new IllegalStateException("dockerd did not start: " + Files.readString(directory.resolve("log")));
    }

    /// What it says about the images it took.
    public String load(Path archive) throws Exception {
        return api("-X POST -H 'Content-Type: application/x-tar' -T " + archive + " http://docker/images/load");
    }

    /// What the image's own program prints in a container without a network.
    public String run(String image) throws Exception {
        // with a terminal the output is as it was printed, but for the ends of lines
        var wanted = "{\"Image\":\"" + image + "\",\"Tty\":true,\"HostConfig\":{\"NetworkMode\":\"none\"}}";
        var made =
                api("-X POST -H 'Content-Type: application/json' -d '" + wanted + "' http://docker/containers/create");
        var container = "http://docker/containers/" + made.replaceFirst("(?s).*\"Id\":\"([0-9a-f]+)\".*", "$1");
        api("-X POST " + container + "/start");
        api("-X POST " + container + "/wait");
        var told = api("'" + container + "/logs?stdout=1&stderr=1'");
        api("-X DELETE " + container);
        return told.replace("\r\n", "\n");
    }

    void save(String image, Path archive) throws Exception {
        api("-o " + archive + " http://docker/images/" + image + "/get");
    }

    /// The layers of an image, as `docker inspect` shows them.
    String inspect(String image) throws Exception {
        return api("http://docker/images/" + image + "/json");
    }

    private boolean answers() throws InterruptedException {
        try {
            return api("http://docker/_ping").equals("OK");
        } catch (IllegalStateException | IOException _) {
            return false;
        }
    }

    private String api(String request) throws IOException, InterruptedException {
        return Tools.shell("curl -sSf --unix-socket " + directory + "/s " + request);
    }

    @Override
    public void close() {
        process.destroy();
        process.onExit().completeOnTimeout(process, 20, TimeUnit.SECONDS).join();
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly().onExit().join();
    }
}
