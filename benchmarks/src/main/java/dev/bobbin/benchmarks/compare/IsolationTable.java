package dev.bobbin.benchmarks.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// What one and the same program finds in a sandbox of Bobbin and in containers of the peers with their default
/// options;
/// `benchmarks/isolation --help` says how.
public final class IsolationTable {
    private static final String USAGE = """
            usage: benchmarks/isolation [--check] [--install-peers]
              --check          exits 1 if Bobbin is weaker than a peer in anything
              --install-peers  installs the peers of this Debian first
            Writes benchmarks/results/isolation.md. Needs root and a JDK 25.""";

    private static final Pattern FINDING = Pattern.compile(
            "\\{\"check\":\"([a-z0-9-]+)\",\"verdict\":\"([a-z]+)\",\"reason\":\"((?:[^\"\\\\]|\\\\.)*)\"");

    /// Of the machine and of limits, which peers have only where asked for.
    private static final Pattern ONLY_OURS = Pattern.compile("host-(?!name).*|limit-.*|sandbox");

    /// crun refuses a machine with both cgroup versions, so it sees only the first one.
    private static final List<String> WITHOUT_UNIFIED = List.of(
            "unshare",
            "-m",
            "sh",
            "-c",
            "if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi; exec \"$@\"",
            "sh");

    private static final int LONGEST = 200;

    private final Path bobbin;
    private final Scratch scratch;
    private final Path root;
    private final Map<String, Map<String, Finding>> columns = new LinkedHashMap<>();

    private record Finding(String verdict, String reason) {}

    private IsolationTable(Path source, Scratch scratch) throws IOException, InterruptedException {
        this.bobbin = source.resolve("ops/bobbin");
        this.scratch = scratch;
        this.root = scratch.directory().resolve("root");
        for (var each : List.of("proc", "sys", "dev", "tmp", "etc", "run", "var")) {
            Files.createDirectories(root.resolve(each));
        }
        Scratch.run(List.of(
                bobbin.toString(),
                "preflight",
                "--program",
                root.resolve("facts").toString()));
    }

    /// Takes the root of the source tree, then flags.
    public static void main(String[] arguments) throws IOException, InterruptedException {
        var check = false;
        for (var i = 1; i < arguments.length; i++) {
            switch (arguments[i]) {
                case "--check" -> check = true;
                case "--install-peers" -> Scratch.install(List.of("crun", "runc", "podman", "docker.io"));
                default -> {
                    System.err.println(USAGE);
                    System.exit(2);
                }
            }
        }
        int status;
        try (var scratch = new Scratch()) {
            var source = Path.of(arguments[0]);
            var table = new IsolationTable(source, scratch);
            table.look();
            var report = table.report();
            System.out.println(report);
            Files.writeString(source.resolve("benchmarks/results/isolation.md"), report);
            status = check && !table.weaker().isEmpty() ? 1 : 0;
        }
        System.exit(status);
    }

    private void look() throws IOException, InterruptedException {
        columns.put("Bobbin", ours());
        var socket = Scratch.isInstalled("dockerd") ? scratch.dockerd() : java.util.Optional.<String>empty();
        if (socket.isPresent()) {
            var docker = List.of("docker", "-H", socket.get());
            Scratch.run(List.of(
                    "sh",
                    "-c",
                    "tar -C \"$1\" -c . | docker -H \"$2\" import - facts",
                    "sh",
                    root.toString(),
                    socket.get()));
            var version = Scratch.run(joined(docker, List.of("version", "--format", "{{.Server.Version}}")));
            put("docker " + version.strip(), joined(docker, List.of("run", "--rm", "facts", "/facts")));
        }
        if (Scratch.isInstalled("podman")) {
            put("podman " + version("podman"), podman());
        }
        for (var runtime : List.of("crun", "runc")) {
            if (Scratch.isInstalled(runtime)) {
                put(runtime + " " + version(runtime), joined(WITHOUT_UNIFIED, oci(runtime)));
            }
        }
    }

    private void put(String name, List<String> command) throws IOException, InterruptedException {
        var output = scratch.directory().resolve("facts-" + columns.size());
        var peer = new ProcessBuilder(command)
                .redirectInput(new java.io.File("/dev/null"))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try (var from = peer.inputReader()) { // a pipe: some hand on what they are given
            Files.writeString(output, from.readAllAsString());
        }
        if (peer.waitFor() != 0) {
            System.err.println("isolation: " + name + " is left out: it ended with " + peer.exitValue());
            return;
        }
        columns.put(name, judged(List.of(bobbin.toString(), "preflight", "--json", "--facts", output.toString())));
    }

    /// A server in directories of its own, so that none that runs here is asked.
    private Map<String, Finding> ours() throws IOException, InterruptedException {
        var home = scratch.directory().resolve("bobbin");
        return judged(List.of(
                "env",
                "BOBBIN_DATA_DIR=" + home.resolve("data"),
                "BOBBIN_RUN_DIR=" + home.resolve("run"),
                bobbin.toString(),
                "preflight",
                "--json"));
    }

    /// What a command that judges prints, whatever its exit code says.
    private static Map<String, Finding> judged(List<String> command) throws IOException, InterruptedException {
        var process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String text;
        try (var from = process.inputReader()) {
            text = from.readAllAsString();
        }
        process.waitFor();
        var findings = new LinkedHashMap<String, Finding>();
        var matcher = FINDING.matcher(text);
        while (matcher.find()) {
            if (!ONLY_OURS.matcher(matcher.group(1)).matches()) {
                findings.put(matcher.group(1), new Finding(matcher.group(2), matcher.group(3)));
            }
        }
        if (findings.isEmpty()) {
            throw new IOException(String.join(" ", command) + ": " + text);
        }
        return findings;
    }

    private List<String> podman() {
        var own = scratch.directory().resolve("podman");
        var command = List.of(
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
                "/facts");
        return joined(WITHOUT_UNIFIED, command);
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
                        .replaceFirst("\"args\": \\[\\s*\"sh\"\\s*]", "\"args\": [\"/facts\"]")
                        .replaceFirst("\"path\": \"rootfs\"", "\"path\": \"" + root + "\""));
        return List.of(
                runtime,
                "--root",
                scratch.directory().resolve("state-" + runtime).toString(),
                "run",
                "--bundle",
                bundle.toString(),
                "facts");
    }

    private static String version(String program) throws IOException, InterruptedException {
        return Scratch.run(List.of(program, "--version"))
                .lines()
                .findFirst()
                .orElse("")
                .replaceFirst(".*?(\\d+\\.\\d+(\\.\\d+)?).*", "$1");
    }

    private static List<String> joined(List<String> first, List<String> second) {
        return Stream.concat(first.stream(), second.stream()).toList();
    }

    /// Checks that a peer passes and Bobbin does not.
    private List<String> weaker() {
        return ourColumn().entrySet().stream()
                .filter(check -> !check.getValue().verdict().equals("pass"))
                .map(Map.Entry::getKey)
                .filter(check -> columns.values().stream()
                        .anyMatch(column -> column.containsKey(check)
                                && column.get(check).verdict().equals("pass")))
                .toList();
    }

    private Map<String, Finding> ourColumn() {
        return columns.getOrDefault("Bobbin", Map.of());
    }

    private String report() {
        var lines = new ArrayList<String>();
        lines.add(
                "`benchmarks/isolation`: one program in each with its default options; dockerd without a bridge, podman"
                        + " without a network.");
        lines.add("");
        lines.add("| check | " + String.join(" | ", columns.keySet()) + " |");
        lines.add("|---".repeat(columns.size() + 1) + "|");
        for (var check : ourColumn().keySet()) {
            var cells = columns.values().stream()
                    .map(column ->
                            column.getOrDefault(check, new Finding("-", "")).verdict())
                    .map(verdict -> verdict.equals("skipped") ? "-" : verdict)
                    .toList();
            lines.add("| " + check + " | " + String.join(" | ", cells) + " |");
        }
        lines.add("");
        var reasons = new TreeMap<String, List<String>>();
        columns.forEach((name, column) -> column.forEach((check, finding) -> {
            if (finding.verdict().equals("fail")) {
                var reason = finding.reason();
                var told = reason.length() > LONGEST ? reason.substring(0, LONGEST) + "…" : reason;
                reasons.computeIfAbsent(check, _ -> new ArrayList<>()).add(name + ": " + told);
            }
        }));
        reasons.forEach((check, told) -> {
            lines.add("- " + check);
            told.forEach(each -> lines.add("  - " + each));
        });
        return String.join("\n", lines) + "\n";
    }
}
