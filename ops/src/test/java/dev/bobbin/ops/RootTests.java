package dev.bobbin.ops;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;

/// Tests of the packaged program that make sandboxes, each with a directory of its own, whose name is short because
/// sockets lie below it.
abstract class RootTests {
    Path directory = Path.of("");

    @BeforeAll
    static void onlyAsRoot() {
        var root = System.getProperty("user.name").equals("root");
        if (!root && Boolean.parseBoolean(System.getenv("CI"))) {
            throw new IllegalStateException("CI must run as root: these tests make sandboxes");
        }
        assumeTrue(root, "not root, and making sandboxes needs it");
    }

    @BeforeEach
    final void shortDirectory() throws IOException {
        directory = Files.createTempDirectory(Path.of("/tmp"), "bobbin-it-");
    }

    /// Comes after what a test does at its end.
    @AfterEach
    final void removeDirectory() throws Exception {
        end();
        new ProcessBuilder("rm", "-rf", directory.toString()).start().waitFor();
    }

    /// Ends the processes that the test began and has not ended itself.
    void end() throws Exception {}
}
