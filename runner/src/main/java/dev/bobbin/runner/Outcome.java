package dev.bobbin.runner;

/// How a job ended: a closed set, each case with its evidence. What a program did is a value, never an exception.
public sealed interface Outcome {

    /// The word of the API and of the metrics for this outcome.
    default String cause() {
        return switch (this) {
            case Exited _ -> "exited";
            case Killed _ -> "killed";
            case OutOfMemory _ -> "out_of_memory";
            case TimedOut _ -> "timed_out";
            case OutputLimit _ -> "output_limit";
            case Cancelled _ -> "cancelled";
            case HostLost _ -> "host_lost";
            case ImageError _ -> "image_error";
            case SandboxError _ -> "sandbox_error";
        };
    }

    /// What a shell would report as the status: the exit code, 128+n for a signal, -1 if nothing ran.
    default int exitCode() {
        return switch (this) {
            case Exited(var code) -> code;
            case Killed killed -> 128 + killed.signal();
            case OutOfMemory memory -> memory.code();
            case TimedOut _, OutputLimit _, Cancelled _ -> 128 + 9;
            case HostLost _, ImageError _, SandboxError _ -> -1;
        };
    }

    /// The program ended by itself; 127 and 126 also stand for a command not found and not executable.
    record Exited(int code) implements Outcome {}

    /// A signal ended it. `by` is `self` (a fault of the program, or a signal that neither Bobbin nor the kernel
    /// for want of memory sent: it came from within the sandbox, or by hand from root of this machine), `api` (sent
    /// through Bobbin), or `host` (somebody on this machine killed the sandbox itself).
    record Killed(int signal, String by) implements Outcome {}

    /// The kernel killed for want of memory, and the main process did not end well.
    ///
    /// @param level whose memory was out: `job` for its own limit, `host` for the machine's or any limit above the
    ///        job's
    /// @param victim `main`, or `child` if the main process ended otherwise after another one was killed
    /// @param code what the main process ended with, as [#exitCode] gives it
    record OutOfMemory(String level, String victim, int code) implements Outcome {}

    /// A limit of time passed; `limit` names it: `time`.
    record TimedOut(String limit) implements Outcome {}

    /// It wrote more than its output limit under the policy `kill`.
    record OutputLimit() implements Outcome {}

    /// Somebody ended it: `client` (went away), `api`, `shutdown`, `server_restart`, `sandbox` (its sandbox
    /// ended), `ttl` and `idle` (its sandbox lived or idled as long as it may).
    record Cancelled(String by) implements Outcome {}

    /// The machine stopped under it, and with it all knowledge of its end.
    record HostLost() implements Outcome {}

    /// The image could not be used; `detail` says what was tried.
    record ImageError(String detail) implements Outcome {}

    /// The sandbox could not be completed; `detail` says what was tried.
    record SandboxError(String detail) implements Outcome {}
}
