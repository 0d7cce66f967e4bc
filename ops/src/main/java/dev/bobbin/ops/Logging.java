package dev.bobbin.ops;

import java.util.logging.Level;
import java.util.logging.Logger;

/// Where [System.Logger] writes: one line each on standard error. Libraries are heard from warnings on, and so are we
/// where somebody has said so.
final class Logging {
    /* The JDK forgets the level of a logger that nobody holds. */
    private static final Logger ROOT = Logger.getLogger("");
    private static final Logger LISTENERS = Logger.getLogger("io.helidon.webserver.LoomServer");
    private static final Logger ERROR_HANDLERS = Logger.getLogger("io.helidon.webserver.http.ErrorHandlers");
    private static final Logger OURS = Logger.getLogger("dev.bobbin");

    private Logging() {}

    static void start() {
        if (System.getProperty("java.util.logging.SimpleFormatter.format") == null) {
            System.setProperty("java.util.logging.SimpleFormatter.format", "%1$tFT%1$tT.%1$tL %4$s %3$s: %5$s%6$s%n");
        }
        ROOT.setLevel(Level.WARNING);
        // A listener that cannot start is an exception too, which is explained in a sentence.
        LISTENERS.setLevel(Level.OFF);
        // A connection that is closed after its refusal looks to Helidon like a refusal that cannot be sent, and any
        // client
        // could fill the log with that.
        ERROR_HANDLERS.setLevel(Level.OFF);
        if (OURS.getLevel() == null) {
            OURS.setLevel(Level.INFO);
        }
    }
}
