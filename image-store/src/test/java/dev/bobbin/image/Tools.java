package dev.bobbin.image;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Programs that a test starts.
public final class Tools {
    private Tools() {}

    /// Leaves the test out, and prints why, if one of these programs is missing; in CI that is a failure.
    public static void require(String... programs) throws IOException, InterruptedException {
        for (var program : programs) {
            var search = new ProcessBuilder("sh", "-c", "command -v " + program);
            search.redirectOutput(ProcessBuilder.Redirect.DISCARD);
            require(search.start().waitFor() == 0, program + " is missing; ops/verify installs it");
        }
    }

    /// Leaves the test out, and prints the reason, unless `there`; in CI that is a failure.
    public static void require(boolean there, String reason) {
        if (!there && System.getenv("CI") != null) {
            throw new AssertionError("CI must not leave this test out: " + reason);
        }
        if (!there) {
            System.out.println("a test is left out: " + reason);
        }
        assumeTrue(there, reason);
    }

    /// What a shell script prints; it ends at the first command that fails, and so does the test.
    public static String shell(String script) throws IOException, InterruptedException {
        var process = new ProcessBuilder(List.of("sh", "-ec", script))
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(120, TimeUnit.SECONDS) || process.exitValue() != 0) {
            throw new IllegalStateException(script + ": " + output);
        }
        return output;
    }
}
