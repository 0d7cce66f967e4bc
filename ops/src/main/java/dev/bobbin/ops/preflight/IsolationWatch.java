package dev.bobbin.ops.preflight;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// Repeats the checks of this host while it serves, and remembers what they came to. Safe for many threads.
public final class IsolationWatch implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(IsolationWatch.class.getName());
    /// The first ones wait for whatever a start brings.
    private static final Duration FIRST = Duration.ofSeconds(5);

    /// After a failure, which may have been of the moment.
    private static final Duration AGAIN = Duration.ofSeconds(30);

    private final Examination examination;
    private final Duration every;
    private final MeterRegistry meters;
    private final Map<String, AtomicInteger> gauges = new ConcurrentHashMap<>();
    private final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("isolation-watch").factory());
    private volatile @Nullable Report latest;

    /// Something that makes all checks.
    @FunctionalInterface
    public interface Examination {
        List<Finding> examine() throws InterruptedException;
    }

    /// What all checks came to.
    public record Report(Instant at, List<Finding> findings) {
        public Report {
            findings = List.copyOf(findings);
        }

        public Finding.Verdict verdict() {
            return Finding.worst(findings);
        }

        /// As the API answers.
        public String json() {
            var checks = findings.stream().map(Report::json).toList();
            return "{\"verdict\":\"" + verdict().word() + "\",\"at\":\"" + at + "\",\"checks\":["
                    + String.join(",", checks) + "]}";
        }

        private static String json(Finding finding) {
            return "{\"check\":" + quoted(finding.check()) + ",\"verdict\":"
                    + quoted(finding.verdict().word()) + ",\"reason\":" + quoted(finding.reason()) + ",\"fix\":"
                    + quoted(finding.fix()) + "}";
        }

        private static String quoted(String text) {
            var out = new StringBuilder("\"");
            text.chars().forEach(letter -> {
                if (letter == '"' || letter == '\\') {
                    out.append('\\').append((char) letter);
                } else if (letter < ' ') {
                    out.append(String.format("\\u%04x", letter));
                } else {
                    out.append((char) letter);
                }
            });
            return out.append('"').toString();
        }
    }

    /// @param every how often; nothing is done unasked if it is zero
    public IsolationWatch(Examination examination, Duration every, MeterRegistry meters) {
        this.examination = examination;
        this.every = every;
        this.meters = meters;
        if (every.isPositive()) {
            watchIn(FIRST);
        }
    }

    private void watchIn(Duration most) {
        var wait = most.compareTo(every) < 0 ? most : every;
        try {
            var _ = timer.schedule(this::watch, wait.toMillis(), TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException _) {
            // closed meanwhile
        }
    }

    /// What the latest checks came to, if there were any.
    public Optional<Report> latest() {
        return Optional.ofNullable(latest);
    }

    /// Whether the latest checks found something that fails.
    public boolean fails() {
        var report = latest;
        return report != null && report.verdict() == Finding.Verdict.FAIL;
    }

    /// Makes all checks now; one after another if several ask.
    public synchronized Report examine() throws InterruptedException {
        return remember(examination.examine());
    }

    private Report remember(List<Finding> findings) {
        var report = new Report(Instant.now(), findings);
        export(report.findings());
        tell(report);
        latest = report;
        return report;
    }

    private void watch() {
        try {
            examine();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return;
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.WARNING, "check this host's isolation", e);
            remember(List.of(Finding.fail("sandbox", "the checks themselves failed: " + e, "see the server's log")));
        }
        watchIn(fails() ? AGAIN : every);
    }

    /// 1 for each that passes. One that could not be made this time proves nothing, and is 0.
    private void export(List<Finding> findings) {
        var absent = new ArrayList<>(gauges.keySet());
        for (var finding : findings) {
            absent.remove(finding.check());
            if (finding.verdict() != Finding.Verdict.SKIPPED) {
                gauge(finding.check()).set(finding.verdict() == Finding.Verdict.PASS ? 1 : 0);
            }
        }
        absent.forEach(check -> gauge(check).set(0));
    }

    private AtomicInteger gauge(String check) {
        return gauges.computeIfAbsent(check, name -> {
            var value = new AtomicInteger();
            Gauge.builder("bobbin.isolation.check", value, AtomicInteger::get)
                    .description("1 if what this check is about holds in real sandboxes of this host")
                    .tag("check", name)
                    .register(meters);
            return value;
        });
    }

    /// Only what is new, or it would fill the log.
    private void tell(Report report) {
        var before = latest;
        var known = before == null ? List.<Finding>of() : before.findings();
        report.findings().stream()
                .filter(finding -> finding.verdict() == Finding.Verdict.FAIL)
                .filter(finding -> !known.contains(finding))
                .forEach(finding -> LOG.log(
                        System.Logger.Level.ERROR,
                        "isolation check " + finding.check() + " fails: " + finding.reason() + "; " + finding.fix()));
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
