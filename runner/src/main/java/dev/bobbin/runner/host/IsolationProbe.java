package dev.bobbin.runner.host;

import dev.bobbin.image.ImageReference;
import dev.bobbin.runner.Attempt;
import dev.bobbin.runner.Command;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.InputFile;
import dev.bobbin.runner.Isolation;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.StartTimeline;
import dev.bobbin.runner.Stdin;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Looks at the isolation of this host's sandboxes from within: runs a small program of ours in some, as any job is
/// run,
/// and gives what that saw and how far its limits let it go. It judges nothing.
public final class IsolationProbe {
    private static final String RESOURCE =
            "/dev/bobbin/runner/native/linux-" + System.getProperty("os.arch") + "/bobbin-facts";
    private static final String NAME = "bobbin-facts";
    /// Nobody's, so no caller sees these jobs.
    private static final String TENANT = "bobbin-preflight";
    private static final long MIB = 1024 * 1024;
    private static final Duration LONGEST = Duration.ofSeconds(30);
    private static final Limits USUAL = new Limits(64 * MIB, 0, 64, LONGEST, MIB, 16 * MIB);

    private final HostRuntime host;
    private final byte[] program;

    /// What came of a job that went for one of its limits.
    ///
    /// @param printed its standard output
    public record Trial(Outcome outcome, String printed) {}

    /// What was seen.
    ///
    /// @param facts lines of the program in one sandbox
    /// @param neighbour the same of another that ran at the same time
    /// @param trials by the limit that each went for: memory, pids, cpus, disk, output, time
    public record Seen(List<String> facts, List<String> neighbour, Map<String, Trial> trials) {
        public Seen {
            facts = List.copyOf(facts);
            neighbour = List.copyOf(neighbour);
            trials = Map.copyOf(trials);
        }
    }

    /// There is nothing to make a sandbox of, which says nothing about sandboxes.
    public static final class NoImage extends Exception {
        private static final long serialVersionUID = 1;

        NoImage(String message) {
            super(message);
        }
    }

    /// No sandbox could be looked at; the message says why.
    public static final class Failed extends Exception {
        private static final long serialVersionUID = 1;

        Failed(String message) {
            super(message);
        }
    }

    /// What was waited for has been read.
    private static final class Enough extends IOException {
        private static final long serialVersionUID = 1;
    }

    public IsolationProbe(HostRuntime host) {
        this.host = host;
        this.program = program();
    }

    /// The program, for this kind of machine: static, so that it runs in any root.
    public static byte[] program() {
        try (var in = IsolationProbe.class.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                throw new IllegalStateException("this build has no " + NAME + " for " + System.getProperty("os.arch"));
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new IllegalStateException("read " + NAME + " of this build", e);
        }
    }

    /// Takes about two seconds, most of which sandboxes compute or sleep in.
    ///
    /// @param image what the sandboxes are made of; nothing in it is used
    public Seen look(ImageReference image) throws Failed, NoImage, InterruptedException {
        var first = start(image, USUAL, new Stdin.Open());
        try {
            var facts = facts(first);
            var second = start(image, USUAL, new Stdin.Open());
            try {
                return new Seen(facts, facts(second), trials(image));
            } finally {
                end(second);
            }
        } finally {
            end(first);
        }
    }

    private Map<String, Trial> trials(ImageReference image) throws Failed, NoImage, InterruptedException {
        var trials = new LinkedHashMap<String, Trial>();
        trials.put("memory", attempt(image, new Limits(32 * MIB, 0, 64, LONGEST, MIB, 16 * MIB), "alloc", "128"));
        trials.put("pids", attempt(image, new Limits(64 * MIB, 0, 16, LONGEST, MIB, 16 * MIB), "fork", "100"));
        trials.put("cpus", attempt(image, new Limits(64 * MIB, 0.1, 64, LONGEST, MIB, 16 * MIB), "spin", "500"));
        trials.put("disk", attempt(image, new Limits(64 * MIB, 0, 64, LONGEST, MIB, 8 * MIB), "fill", "32"));
        trials.put("output", attempt(image, new Limits(64 * MIB, 0, 64, LONGEST, 65536, 16 * MIB), "spew"));
        var moment = Duration.ofMillis(300);
        trials.put("time", attempt(image, new Limits(64 * MIB, 0, 64, moment, MIB, 16 * MIB), "rest"));
        return trials;
    }

    private Trial attempt(ImageReference image, Limits limits, String... arguments)
            throws Failed, NoImage, InterruptedException {
        var execution = start(image, limits, new Stdin.Empty(), arguments);
        try {
            var printed = new ByteArrayOutputStream();
            var ending = execution.streamTo(output -> keep(output, printed));
            return new Trial(ending.outcome(), text(printed));
        } catch (IOException e) {
            throw new Failed("read what a sandbox prints: " + e.getMessage());
        } finally {
            end(execution);
        }
    }

    private List<String> facts(Execution execution) throws Failed, InterruptedException {
        var printed = new ByteArrayOutputStream();
        try {
            execution.read(0, true, output -> {
                keep(output, printed);
                if (text(printed).endsWith("\ndone\n")) {
                    throw new Enough();
                }
            });
        } catch (Enough _) {
            return text(printed).lines().toList();
        } catch (IOException e) {
            throw new Failed("read what a sandbox prints: " + e.getMessage());
        }
        var outcome = execution.ending().orElseThrow().outcome();
        throw new Failed(
                switch (outcome) {
                    case Outcome.SandboxError(var detail) -> "make a sandbox: " + detail;
                    case Outcome.ImageError(var detail) -> "use the image: " + detail;
                    default ->
                        "look from within a sandbox: the program for that ended as " + outcome.cause() + ", "
                                + outcome.exitCode();
                });
    }

    private Execution start(ImageReference image, Limits limits, Stdin stdin, String... arguments)
            throws Failed, NoImage, InterruptedException {
        var argv = new ArrayList<>(List.of("./" + NAME));
        argv.addAll(List.of(arguments));
        var job = new Job.Run(
                JobId.next(),
                TENANT,
                image,
                new Command(argv, Map.of(), "/bobbin-preflight", "0:0", null),
                stdin,
                List.of(new InputFile(NAME, program, 0755)),
                limits,
                Job.OnDisconnect.KILL,
                Job.OutputPolicy.KILL,
                Map.of(),
                List.of(),
                Isolation.USUAL,
                null);
        return switch (host.start(job, StartTimeline.begin())) {
            case Attempt.Accepted(var execution) -> execution;
            case Attempt.Refused(var refusal)
            when refusal.reason() == Refusal.Reason.NO_SUCH_IMAGE -> throw new NoImage(refusal.detail());
            case Attempt.Refused(var refusal) -> throw new Failed("start a sandbox: " + refusal.detail());
        };
    }

    private static void end(Execution execution) {
        execution.cancel("api");
        execution.close();
    }

    private static void keep(Output output, ByteArrayOutputStream printed) {
        if (output instanceof Output.Bytes bytes && bytes.stream() == Output.Stream.STDOUT) {
            printed.writeBytes(bytes.copy());
        }
    }

    private static String text(ByteArrayOutputStream printed) {
        return printed.toString(StandardCharsets.UTF_8);
    }
}
