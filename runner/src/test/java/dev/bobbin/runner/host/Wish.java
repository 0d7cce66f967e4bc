package dev.bobbin.runner.host;

import dev.bobbin.runner.Command;
import dev.bobbin.runner.InputFile;
import dev.bobbin.runner.Isolation;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Mount;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.Rights;
import dev.bobbin.runner.Sysctls;
import dev.bobbin.runner.Terminal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What a job and a sandbox that lasts both have, in the making; every setter gives itself.
public abstract sealed class Wish<W extends Wish<W>> permits TestHost.Request, TestHost.Place {
    final List<String> argv;
    final List<InputFile> files = new ArrayList<>();
    final List<Mount> mounts = new ArrayList<>();
    Limits limits = Limits.DEFAULT;
    private final Map<String, String> env = new LinkedHashMap<>();
    private final Map<String, String> sysctls = new LinkedHashMap<>();
    private @Nullable String workdir;
    private @Nullable String user;
    private @Nullable Terminal terminal;
    private Network network = Network.NONE;
    private @Nullable String seccomp;
    private Rights rights = Rights.NONE;

    Wish(List<String> argv) {
        this.argv = argv;
    }

    abstract W self();

    public W env(String name, String value) {
        env.put(name, value);
        return self();
    }

    /// Lays the program that tests run inside sandboxes into the working directory, as `probe`.
    public W probe() throws IOException {
        files.add(new InputFile("probe", Files.readAllBytes(Path.of("target/native/probe")), 0755));
        return self();
    }

    public W mount(Mount mount) {
        mounts.add(mount);
        return self();
    }

    public W seccomp(String profile) {
        seccomp = profile;
        return self();
    }

    public W rights(Rights more) {
        rights = more;
        return self();
    }

    public W network(Network wanted) {
        network = wanted;
        return self();
    }

    public W sysctl(String setting, String value) {
        sysctls.put(setting, value);
        return self();
    }

    public W workdir(String directory) {
        workdir = directory;
        return self();
    }

    public W user(String name) {
        user = name;
        return self();
    }

    public W limits(Limits most) {
        limits = most;
        return self();
    }

    /// Its own process has a terminal, whose input is open.
    public W terminal(int rows, int columns) {
        terminal = new Terminal(rows, columns);
        return self();
    }

    final Command command() {
        return new Command(argv, env, workdir, user, terminal);
    }

    final Isolation isolation() {
        return new Isolation(network, new Sysctls(sysctls), seccomp, rights);
    }
}
