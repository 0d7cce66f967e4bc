package dev.bobbin.scheduler.http.minibox;

import dev.bobbin.runner.Outcome;

/// How an end that is not a good one is told behind the output.
final class Tail {
    private Tail() {}

    /// `exit status 3`, or `signal: killed`; empty if it ended well.
    static String of(Outcome outcome) {
        return switch (outcome) {
            case Outcome.Exited(var code) -> code == 0 ? "" : "exit status " + code;
            case Outcome.Killed killed -> "signal: " + signal(killed.signal());
            case Outcome.OutOfMemory _ -> "signal: killed (out of memory)";
            case Outcome.TimedOut _ -> "signal: killed (timed out)";
            case Outcome.OutputLimit _ -> "signal: killed (wrote more than its output limit)";
            case Outcome.Cancelled _ -> "signal: killed";
            case Outcome.HostLost _ -> "lost with its host";
            case Outcome.ImageError(var detail) -> detail;
            case Outcome.SandboxError(var detail) -> detail;
        };
    }

    /// The line behind the output of a run.
    static String line(String message) {
        return message.isEmpty() ? "" : "\n[error] " + message + "\n";
    }

    private static String signal(int number) {
        return switch (number) {
            case 1 -> "hangup";
            case 2 -> "interrupt";
            case 3 -> "quit";
            case 4 -> "illegal instruction";
            case 5 -> "trace/breakpoint trap";
            case 6 -> "aborted";
            case 7 -> "bus error";
            case 8 -> "floating point exception";
            case 9 -> "killed";
            case 10 -> "user defined signal 1";
            case 11 -> "segmentation fault";
            case 12 -> "user defined signal 2";
            case 13 -> "broken pipe";
            case 14 -> "alarm clock";
            case 15 -> "terminated";
            default -> "signal " + number;
        };
    }
}
