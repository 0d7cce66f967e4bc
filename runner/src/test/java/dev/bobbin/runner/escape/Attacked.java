package dev.bobbin.runner.escape;

import dev.bobbin.runner.host.TestHost;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/// A real host with two parked sandboxes, which all attacks of one class are made on; [TestHost#close] fails if they
/// left anything.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(60)
abstract class Attacked {
    TestHost host;
    Attempts attempts;

    @BeforeAll
    void open() throws Exception {
        host = TestHost.open(2);
        attempts = new Attempts(host);
    }

    @AfterAll
    void close() throws Exception {
        host.close();
    }
}
