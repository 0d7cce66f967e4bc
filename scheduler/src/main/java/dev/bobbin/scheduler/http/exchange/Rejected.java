package dev.bobbin.scheduler.http.exchange;

import org.jspecify.annotations.Nullable;

/// Ends the handling of a request with a problem, from however deep in its reading.
public final class Rejected extends RuntimeException {
    private final transient Problem problem;

    public Rejected(Problem problem) {
        super(problem.detail(), null, false, false);
        this.problem = problem;
    }

    public static Rejected invalid(@Nullable String field, String detail) {
        return new Rejected(Problem.invalid(field, detail));
    }

    public Problem problem() {
        return problem;
    }
}
