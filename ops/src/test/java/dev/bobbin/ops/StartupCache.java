package dev.bobbin.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/// What the JVM has learned from one command, with which the next ones begin as quickly as behind the launcher, which
/// keeps such caches too.
final class StartupCache {
    private static final Path JAR = Path.of("target/bobbin.jar").toAbsolutePath();
    private static final Path CACHE = Path.of("target/commands.aot").toAbsolutePath();
    private static final Path LOCK = Path.of("target/commands.lock").toAbsolutePath();
    private static final String JAVA = System.getProperty("java.home") + "/bin/java";

    /// The command line of the program up to its own arguments.
    private static final List<String> PROGRAM = program();

    private StartupCache() {}

    /// A command line of the program that uses the cache, which is made by the first who asks.
    static List<String> command(String... arguments) {
        var command = new ArrayList<>(PROGRAM);
        command.addAll(List.of(arguments));
        return command;
    }

    private static List<String> program() {
        // classes of tests run in several processes
        try (var lock = FileChannel.open(LOCK, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            lock.lock();
            if (!Files.exists(CACHE)
                    || Files.getLastModifiedTime(CACHE).compareTo(Files.getLastModifiedTime(JAR)) <= 0) {
                make();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
        return jvm("-XX:AOTCache=" + CACHE);
    }

    private static List<String> jvm(String cache) {
        return List.of(
                JAVA, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", cache, "-Xlog:disable", "-jar", JAR.toString());
    }

    /// A command that no server helps loads the whole server.
    private static void make() throws IOException, InterruptedException {
        var directory = Files.createTempDirectory(Path.of("/tmp"), "bobbin-it-");
        var command = new ArrayList<>(jvm("-XX:AOTCacheOutput=" + CACHE));
        command.addAll(List.of("run", "--", "true"));
        var log = directory.resolve("log");
        var builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        builder.environment().put("BOBBIN_RUN_DIR", directory + "/run");
        builder.environment().put("BOBBIN_DATA_DIR", directory + "/data");
        var code = builder.start().waitFor();
        assertThat(code).as(Files.readString(log)).isZero();
        assertThat(CACHE).as(Files.readString(log)).isRegularFile();
        new ProcessBuilder("rm", "-rf", directory.toString()).start().waitFor();
    }
}
