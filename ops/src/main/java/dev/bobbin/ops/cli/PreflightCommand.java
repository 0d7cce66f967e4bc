package dev.bobbin.ops.cli;

import dev.bobbin.ops.preflight.Facts;
import dev.bobbin.ops.preflight.Finding;
import dev.bobbin.ops.preflight.Finding.Verdict;
import dev.bobbin.ops.preflight.HostProof;
import dev.bobbin.ops.preflight.Isolation;
import dev.bobbin.ops.preflight.IsolationWatch.Report;
import dev.bobbin.ops.preflight.Preflight;
import dev.bobbin.runner.host.IsolationProbe;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Says how well this host isolates, as seen from within real sandboxes.
@Command(
        name = "preflight",
        description = {
            "Checks this machine, and from within real sandboxes what a job could see and do: of the server that runs,"
                    + " else of one that lives as long as this command.",
            "Exit codes: 0 all is well, 1 a check fails, 3 something is weaker because the configuration says so."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class PreflightCommand implements Callable<Integer> {
    static final int DEGRADED = 3;
    private static final String JSON = "application/json";

    @Option(names = "--json", description = "One JSON object.")
    private boolean json;

    @Option(
            names = "--program",
            paramLabel = "FILE",
            description = "Only writes the program that looks from within, static, to be run in other containers.")
    private @Nullable Path program;

    @Option(
            names = "--facts",
            paramLabel = "FILE",
            description =
                    "Judges what that program printed in another container of this machine; - for standard input.")
    private @Nullable String facts;

    @Mixin
    private final ServerOptions server;

    PreflightCommand(ServerOptions server) {
        this.server = server;
    }

    @Override
    public Integer call() throws IOException {
        if (program != null) {
            Files.write(program, IsolationProbe.program());
            return program.toFile().setExecutable(true) ? 0 : 1;
        }
        if (facts != null) {
            return say(judged(facts));
        }
        try {
            return server.askOfHost(connection -> {
                var answer = connection
                        .post("/v1/preflight", JSON, JSON, new byte[0])
                        .accepted();
                return say(findings(answer.text()));
            });
        } catch (StartException | IOException impossible) {
            return say(withoutServer(impossible));
        }
    }

    private List<Finding> withoutServer(Exception impossible) {
        var mayLackLimits = server.settings().host().allowUnenforcedLimits();
        var findings = new ArrayList<>(new Preflight(Path.of("/")).findings(mayLackLimits));
        var reason = impossible instanceof StartException ? impossible.getMessage() : impossible.toString();
        findings.add(new Finding("sandbox", Verdict.FAIL, "no server can be: " + reason, "what the reason says"));
        return findings;
    }

    private static List<Finding> judged(String file) throws IOException {
        var text = file.equals("-")
                ? new String(System.in.readAllBytes(), StandardCharsets.UTF_8)
                : Files.readString(Path.of(file));
        try {
            return new Isolation(Facts.of(text.lines().toList()), null, HostProof.namespaces(), HostProof.hostName())
                    .judge();
        } catch (IllegalArgumentException incomplete) {
            throw new StartException(
                    String.valueOf(incomplete.getMessage()) + ": run what --program writes to its end.", incomplete);
        }
    }

    private static List<Finding> findings(String text) {
        if (!(Json.object(text).get("checks") instanceof List<?> checks)) {
            throw new IllegalArgumentException("not a report of checks: " + text);
        }
        return checks.stream()
                .map(check -> (Map<?, ?>) check)
                .map(check -> new Finding(
                        text(check, "check"),
                        Verdict.valueOf(text(check, "verdict").toUpperCase(java.util.Locale.ROOT)),
                        text(check, "reason"),
                        text(check, "fix")))
                .toList();
    }

    private static String text(Map<?, ?> check, String field) {
        return String.valueOf(check.get(field));
    }

    private int say(List<Finding> findings) {
        if (json) {
            System.out.println(new Report(Instant.now(), findings).json());
        } else {
            for (var finding : findings) {
                System.out.printf("%-9s %-18s %s%n", finding.verdict().word(), finding.check(), finding.reason());
                if (!finding.fix().isEmpty()) {
                    System.out.printf("%-9s %-18s -> %s%n", "", "", finding.fix());
                }
            }
        }
        return switch (Finding.worst(findings)) {
            case FAIL -> 1;
            case DEGRADED -> DEGRADED;
            case PASS, SKIPPED -> 0;
        };
    }
}
