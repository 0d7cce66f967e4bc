package dev.bobbin.ops.preflight;

import dev.bobbin.image.ImageReference;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.host.HostRuntime;
import dev.bobbin.runner.host.IsolationProbe;
import dev.bobbin.runner.host.IsolationProbe.Seen;
import dev.bobbin.runner.host.IsolationProbe.Trial;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// All checks of this host: of the machine, of what the configuration gave up, and from within real sandboxes.
public final class HostProof {
    /// Those that a filter of system calls alone keeps, whichever other protection fails.
    private static final Set<String> BY_FILTER =
            Set.of("seccomp", "system-calls", "foreign-calls", "keyrings", "sockets", "terminals", "new-namespaces");

    private static final long MIB = 1024 * 1024;
    /// Half a second of a tenth of a processor, and a period of the kernel's accounting more.
    private static final long MOST_MICROS = 150_000;

    private final IsolationProbe probe;
    private final Configured configured;

    /// What the configuration says that these checks are weighed against.
    ///
    /// @param image what sandboxes are made of for this
    /// @param filter `default`, `off`, or the path of a profile
    /// @param mayLackLimits whether limits that this machine cannot keep are accepted
    /// @param binds what of this machine may be mounted, in words; empty for nothing that could be written to
    public record Configured(ImageReference image, String filter, boolean mayLackLimits, String binds) {
        boolean ownFilter() {
            return !filter.equals("default");
        }
    }

    public HostProof(HostRuntime host, Configured configured) {
        this.probe = new IsolationProbe(host);
        this.configured = configured;
    }

    /// Makes some sandboxes, one or two at a time, and takes about two seconds.
    public List<Finding> examine() throws InterruptedException {
        var findings = new ArrayList<>(new Preflight(Path.of("/")).findings(configured.mayLackLimits()));
        findings.add(binds());
        try {
            var seen = probe.look(configured.image());
            findings.add(Finding.pass("sandbox", "starts, on an overlay of layers with mapped ids"));
            isolation(seen).stream().map(this::weighed).forEach(findings::add);
            limits(seen.trials()).stream().map(this::weighed).forEach(findings::add);
        } catch (IsolationProbe.NoImage none) {
            findings.add(Finding.skipped("sandbox", String.valueOf(none.getMessage())));
        } catch (IsolationProbe.Failed failed) {
            findings.add(Finding.fail(
                    "sandbox",
                    "cannot " + failed.getMessage(),
                    "see the server's log; the data directory must be on a file system that knows idmapped mounts"
                            + " (ext4, xfs, btrfs), and the image must be in the store"));
        }
        return findings;
    }

    private Finding binds() {
        return configured.binds().isEmpty()
                ? Finding.pass("host-binds", "nothing of this machine can be written to from sandboxes")
                : Finding.degraded(
                        "host-binds",
                        configured.binds(),
                        "remove host.writable-bind-prefixes, and host.bind-callers: all");
    }

    private static List<Finding> isolation(Seen seen) {
        return new Isolation(Facts.of(seen.facts()), Facts.of(seen.neighbour()), namespaces(), hostName()).judge();
    }

    /// A failure that the configuration asked for is what it said it would be.
    private Finding weighed(Finding finding) {
        if (finding.verdict() != Finding.Verdict.FAIL) {
            return finding;
        }
        if (configured.ownFilter() && BY_FILTER.contains(finding.check())) {
            return Finding.degraded(
                    finding.check(), finding.reason() + " (host.seccomp: " + configured.filter() + ")", finding.fix());
        }
        if (configured.mayLackLimits() && finding.check().startsWith("limit-")) {
            return Finding.degraded(
                    finding.check(), finding.reason() + " (host.allow-unenforced-limits)", finding.fix());
        }
        return finding;
    }

    static List<Finding> limits(Map<String, Trial> trials) {
        var findings = new ArrayList<Finding>();
        findings.add(
                limit(trials, "memory", "killed at 32 MiB", trial -> trial.outcome() instanceof Outcome.OutOfMemory));
        findings.add(limit(trials, "pids", "no more than 16 processes", trial -> within(trial, 1, 15)));
        findings.add(limit(trials, "cpus", "a tenth of a processor", trial -> within(trial, 1, MOST_MICROS)));
        findings.add(limit(trials, "disk", "no more than 8 MiB", trial -> within(trial, 1, 8)));
        findings.add(limit(
                trials,
                "output",
                "ended at 64 KiB",
                trial -> trial.outcome() instanceof Outcome.OutputLimit
                        && trial.printed().length() <= MIB / 16));
        findings.add(limit(trials, "time", "ended after 0.3 s", trial -> trial.outcome() instanceof Outcome.TimedOut));
        return findings;
    }

    private static Finding limit(
            Map<String, Trial> trials, String name, String good, java.util.function.Predicate<Trial> held) {
        var trial = trials.get(name);
        var check = "limit-" + name;
        if (trial != null && held.test(trial)) {
            return Finding.pass(check, good);
        }
        var came = trial == null
                ? "it was not tried"
                : "a program past it ended as " + trial.outcome().cause() + " " + beginning(trial.printed());
        return Finding.fail(check, came, Remedies.of(check));
    }

    private static String beginning(String printed) {
        return printed.substring(0, Math.min(printed.length(), 20)).strip();
    }

    /// That it came to its end by itself and printed a number between these.
    private static boolean within(Trial trial, long least, long most) {
        try {
            var number = Long.parseLong(trial.printed().strip());
            return trial.outcome() instanceof Outcome.Exited && number >= least && number <= most;
        } catch (NumberFormatException _) {
            return false;
        }
    }

    /// The machine's own, by kind.
    public static Map<String, String> namespaces() {
        var namespaces = new HashMap<String, String>();
        try (var links = Files.newDirectoryStream(Path.of("/proc/self/ns"))) {
            for (var link : links) {
                namespaces.put(
                        link.getFileName().toString(),
                        Files.readSymbolicLink(link).toString());
            }
        } catch (IOException e) {
            throw new IllegalStateException("read this process's namespaces", e);
        }
        return namespaces;
    }

    /// The machine's own.
    public static String hostName() {
        try {
            return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
        } catch (IOException e) {
            throw new IllegalStateException("read the machine's name", e);
        }
    }
}
