package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Job;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/// One sandbox of many in which a program counts until it is told to end: every second one in the sandbox's own
/// process,
/// the others in an exec, some of which wait for their readers.
record Counting(int number, Path directory) {
    private static final String MICROS = "4000";
    private static final int SMALL_OUTPUT = 16 * 1024;

    String name() {
        return "counting-" + number;
    }

    boolean isOwn() {
        return number % 2 == 0;
    }

    /// Whether the program waits for its readers, so that what was read is let go of.
    boolean waits() {
        return number % 5 == 1;
    }

    KeptReading reading() {
        return new KeptReading(directory.resolve(name()));
    }

    /// The program: begun, unless it was already.
    Execution in(TestHost host) throws Exception {
        var found = host.runtime().sandboxes().find("default", name());
        var sandbox = found.isPresent() ? found.get() : create(host);
        if (isOwn()) {
            return sandbox.own().orElseThrow();
        }
        var execs = sandbox.execs();
        assertThat(execs).hasSizeLessThan(2);
        return execs.isEmpty() ? exec(host, sandbox) : execs.getFirst();
    }

    private LastingSandbox create(TestHost host) throws Exception {
        var place = isOwn() ? host.place(command()) : host.place();
        return place.name(name()).probe().create();
    }

    private Execution exec(TestHost host, LastingSandbox sandbox) throws Exception {
        return host.exec(sandbox, command())
                .onDisconnect(Job.OnDisconnect.CONTINUE)
                .output(waits() ? SMALL_OUTPUT : 64 << 20, waits() ? Job.OutputPolicy.BLOCK : Job.OutputPolicy.DROP)
                .start();
    }

    private String[] command() {
        return new String[] {"/probe", "counted", name(), MICROS};
    }

    /// Fails unless `text` is all that the program printed.
    ///
    /// @return how many lines it has
    int check(String text) {
        var lines = List.of(text.split("\n", -1));
        var count = lines.size() - 2;
        for (var line = 0; line < count; line++) {
            assertThat(lines.get(line)).as(name()).isEqualTo(line + " " + hash(name() + " " + line));
        }
        assertThat(lines.subList(count, lines.size())).as(name()).isEqualTo(List.of("end " + count, ""));
        return lines.size() - 1;
    }

    /// FNV-1a, as the program has it.
    private static String hash(String text) {
        var hash = 0xcbf29ce484222325L;
        for (var each : text.getBytes(StandardCharsets.US_ASCII)) {
            hash = (hash ^ each) * 0x100000001b3L;
        }
        return "%016x".formatted(hash);
    }
}
