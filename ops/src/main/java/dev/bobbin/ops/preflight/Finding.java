package dev.bobbin.ops.preflight;

import java.util.List;

/// What one check came to.
///
/// @param check its name, the same for ever: a label of metrics
/// @param reason what was found, in one line
/// @param fix what to do about it; empty if it passed
public record Finding(String check, Verdict verdict, String reason, String fix) {

    public enum Verdict {
        PASS,
        FAIL,
        /// Weaker than it could be, as the configuration says.
        DEGRADED,
        /// It has nothing to look at here; the reason says why.
        SKIPPED;

        /// As people and programs read it.
        public String word() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    static Finding pass(String check, String reason) {
        return new Finding(check, Verdict.PASS, reason, "");
    }

    static Finding fail(String check, String reason, String fix) {
        return new Finding(check, Verdict.FAIL, reason, fix);
    }

    static Finding degraded(String check, String reason, String fix) {
        return new Finding(check, Verdict.DEGRADED, reason, fix);
    }

    static Finding skipped(String check, String reason) {
        return new Finding(check, Verdict.SKIPPED, reason, "");
    }

    /// The worst of all: a failure, else what is degraded, else a pass.
    public static Verdict worst(List<Finding> findings) {
        for (var verdict : List.of(Verdict.FAIL, Verdict.DEGRADED)) {
            if (findings.stream().anyMatch(finding -> finding.verdict() == verdict)) {
                return verdict;
            }
        }
        return Verdict.PASS;
    }
}
