package dev.bobbin.scheduler.http;

import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;

/// Tests of one server, which is there before the first of them and ends after the last.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class ServedTests {
    protected TestServer server = unset();

    @SuppressWarnings("NullAway") // set before any test
    private static TestServer unset() {
        return null;
    }

    @BeforeAll
    final void openServer() throws IOException {
        server = TestServer.open();
    }

    @AfterAll
    final void closeServer() throws IOException {
        server.close();
    }
}
