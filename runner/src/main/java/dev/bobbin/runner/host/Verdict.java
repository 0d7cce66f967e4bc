package dev.bobbin.runner.host;

import dev.bobbin.runner.Ending;
import dev.bobbin.runner.Ending.Total;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.StartTimeline;
import dev.bobbin.runner.StartTimeline.Phase;
import dev.bobbin.runner.cgroup.Cgroups;
import dev.bobbin.runner.cgroup.Evidence;
import dev.bobbin.runner.sandbox.Sandbox;
import dev.bobbin.runner.wire.Fields;
import dev.bobbin.runner.wire.Wire;
import dev.bobbin.runner.wire.WireException;

/// Reads from an END record how a job ended. The reason that PID 1 acted on comes first, then the kernel's counters,
/// then the status of the main process.
final class Verdict {
    private static final int SIGKILL = 9;
    private static final int SIGNALLED = 128;
    private static final int ENOENT = 2;
    private static final int ENOTDIR = 20;
    private static final int NOT_FOUND = 127;
    private static final int NOT_EXECUTABLE = 126;

    private Verdict() {}

    static Ending read(Fields end, StartTimeline timeline) throws WireException {
        var evidence = Cgroups.evidence(end.texts(Wire.FIELD_EVIDENCE));
        stamp(end, timeline, Wire.FIELD_STAMP_SANDBOX, Phase.SANDBOX);
        stamp(end, timeline, Wire.FIELD_STAMP_EXEC, Phase.EXEC);
        stamp(end, timeline, Wire.FIELD_STAMP_END, Phase.END);
        return new Ending(
                outcome(end, evidence),
                new Total(
                        end.u64(Wire.FIELD_STDOUT_BYTES).orElse(0),
                        end.u32(Wire.FIELD_STDOUT_CRC32C).orElse(0)),
                new Total(
                        end.u64(Wire.FIELD_STDERR_BYTES).orElse(0),
                        end.u32(Wire.FIELD_STDERR_CRC32C).orElse(0)),
                usage(end, evidence),
                timeline);
    }

    private static void stamp(Fields end, StartTimeline timeline, int tag, Phase phase) throws WireException {
        var nanos = end.u64(tag);
        if (nanos.isPresent()) {
            timeline.stamp(phase, nanos.getAsLong());
        }
    }

    private static Outcome outcome(Fields end, Evidence evidence) throws WireException {
        var reason = end.requireU32(Wire.FIELD_REASON);
        return switch (reason) {
            case Wire.REASON_EXITED -> byItself(end, evidence);
            case Wire.REASON_TIME -> new Outcome.TimedOut("time");
            case Wire.REASON_OUTPUT -> new Outcome.OutputLimit();
            case Wire.REASON_CANCELLED -> new Outcome.Cancelled(end.requireText(Wire.FIELD_BY));
            case Wire.REASON_ORPHANED -> new Outcome.Cancelled("server_restart");
            case Wire.REASON_EXEC -> {
                var errno = end.requireU32(Wire.FIELD_ERRNO);
                yield new Outcome.Exited(errno == ENOENT || errno == ENOTDIR ? NOT_FOUND : NOT_EXECUTABLE);
            }
            case Wire.REASON_SETUP -> new Outcome.SandboxError(Sandbox.problem(end));
            default -> throw new WireException("an END record with reason " + reason);
        };
    }

    /// What the status of wait(2) means, given what the kernel counted. That a process was killed for want of
    /// memory is
    /// the cause as soon as the main process did not end well, be it that process or one that it needed.
    private static Outcome byItself(Fields end, Evidence evidence) throws WireException {
        var status = end.requireU32(Wire.FIELD_STATUS);
        var signal = status & 0x7f;
        var code = signal == 0 ? (status >> 8) & 0xff : SIGNALLED + signal;
        if (evidence.usage().oomKills() > 0 && code != 0) {
            return new Outcome.OutOfMemory(evidence.level(), signal == SIGKILL ? "main" : "child", code);
        }
        if (signal == 0) {
            return new Outcome.Exited(code);
        }
        return new Outcome.Killed(signal, end.u32(Wire.FIELD_SIGNALLED).orElse(0) == signal ? "api" : "self");
    }

    /// What is known of a job whose PID 1 ended without a word.
    ///
    /// @param outcome why, as far as this server knows
    static Ending lost(Outcome outcome, Evidence evidence, StartTimeline timeline) {
        return new Ending(outcome, Total.NOTHING, Total.NOTHING, evidence.usage(), timeline);
    }

    private static Ending.Usage usage(Fields end, Evidence evidence) throws WireException {
        var counted = evidence.usage();
        return new Ending.Usage(
                counted.cpuUserMicros() >= 0
                        ? counted.cpuUserMicros()
                        : end.u64(Wire.FIELD_USER_MICROS).orElse(-1),
                counted.cpuSystemMicros() >= 0
                        ? counted.cpuSystemMicros()
                        : end.u64(Wire.FIELD_SYSTEM_MICROS).orElse(-1),
                counted.throttledPeriods(),
                counted.throttledMicros(),
                counted.memoryPeakBytes(),
                counted.oomKills(),
                end.u64(Wire.FIELD_DISK_USED_BYTES).orElse(-1),
                end.u64(Wire.FIELD_DISK_USED_INODES).orElse(-1),
                end.u64(Wire.FIELD_DROPPED_BYTES).orElse(0),
                end.u64(Wire.FIELD_STDIN_BYTES).orElse(-1),
                counted.oomLevel());
    }
}
