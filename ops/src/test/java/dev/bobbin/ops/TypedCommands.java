package dev.bobbin.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;

/// What a person types: the commands of the packaged program, each in a process of its own, with directories of one
/// test's own.
abstract class TypedCommands extends RootTests {
    static final String JAVA = System.getProperty("java.home") + "/bin/java";

    final List<Process> started = new ArrayList<>();

    record Result(int code, String out, String err) {}

    /// Here, as it takes longer than a command may.
    @BeforeAll
    static void makeCache() {
        assertThat(StartupCache.command()).isNotEmpty();
    }

    static List<String> command(String... arguments) {
        return StartupCache.command(arguments);
    }

    static String line(String... arguments) {
        return String.join(" ", command(arguments));
    }

    Result bobbin(String... arguments) throws Exception {
        return result(command(arguments));
    }

    Result shell(String script) throws Exception {
        return result(List.of("bash", "-c", script));
    }

    Process start(List<String> command) throws IOException {
        var builder = new ProcessBuilder(command);
        builder.environment().put("BOBBIN_RUN_DIR", directory + "/run");
        builder.environment().put("BOBBIN_DATA_DIR", directory + "/data");
        var process = builder.start();
        started.add(process);
        return process;
    }

    Result result(List<String> command) throws Exception {
        var process = start(command);
        process.getOutputStream().close();
        var out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        var err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Result(process.waitFor(), out, err);
    }

    void awaitNone(String commandLine) throws Exception {
        var deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
        while (!shell("pgrep -xf '" + commandLine + "'").out().isEmpty()) {
            assertThat(System.nanoTime()).as(commandLine + " lives on").isLessThan(deadline);
            TimeUnit.MILLISECONDS.sleep(50);
        }
    }

    /// Starts a server and waits until it serves.
    Process serve(String... settings) throws IOException {
        var command = new ArrayList<>(command("serve", "--listen", "127.0.0.1:0", "--pool", "2"));
        command.addAll(List.of(settings));
        var server = start(command);
        var said = server.errorReader(StandardCharsets.UTF_8);
        for (var line = said.readLine();
                !String.valueOf(line).startsWith("bobbin: ready on ");
                line = said.readLine()) {
            // one that finds sandboxes says so first
            assertThat(line).contains(" goes on");
        }
        return server;
    }

    /// Removes the sandboxes that last, which would outlive their server.
    void removeSandboxes() throws Exception {
        shell(line("rm", "-f", "$(" + line("ps", "-aq") + ")"));
    }

    @Override
    final void end() throws Exception {
        for (var process : started.reversed()) {
            process.destroy();
            if (!process.waitFor(15, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        }
    }
}
