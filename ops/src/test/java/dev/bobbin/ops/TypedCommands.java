package dev.bobbin.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// What a person types: the commands of the packaged program, each in a process of its own, with directories of one
/// test's own.
abstract class TypedCommands {
    static final String JAVA = System.getProperty("java.home") + "/bin/java";
    private static final Path JAR = Path.of("target/bobbin.jar").toAbsolutePath();

    Path directory = Path.of("");
    final List<Process> started = new ArrayList<>();

    record Result(int code, String out, String err) {}

    static List<String> command(String... arguments) {
        var command = new ArrayList<>(List.of(JAVA, "-XX:TieredStopAtLevel=1", "-jar", JAR.toString()));
        command.addAll(List.of(arguments));
        return command;
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
}
