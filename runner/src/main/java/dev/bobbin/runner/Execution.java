package dev.bobbin.runner;

import dev.bobbin.image.ImageReference;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A job while it runs, and for as long as its journal is kept afterwards. Safe for use by many threads.
///
/// [#close] leaves it running; [#cancel] ends it.
public interface Execution extends AutoCloseable {

    JobId id();

    String tenant();

    String kind();

    /// The sandbox that it runs in, if that lasts longer than the job or has it as its own process.
    default Optional<SandboxId> sandbox() {
        return Optional.empty();
    }

    /// Its sandbox's place on the bridge; nothing for an exec.
    Optional<Network.Attachment> attachment();

    /// The name of the profile of system calls that holds besides the one that all have.
    Optional<String> seccomp();

    /// The image that runs.
    ImageReference image();

    List<String> command();

    Map<String, String> labels();

    Instant createdAt();

    Job.OnDisconnect onDisconnect();

    /// What it may use at most; nothing for a job of a server that did not note it.
    Optional<Limits> limits();

    /// Those of its limits that this machine cannot keep, by name; empty but where configuration allows it.
    Set<String> unenforcedLimits();

    /// How and with what it ended, or nothing while it runs.
    Optional<Ending> ending();

    /// Stamps of the phases so far; complete once the job has ended.
    StartTimeline timeline();

    /// Reads the journal from position `from` (0 for the beginning) into `sink`, on the calling thread, until the end
    /// record if `follow`, else until what is there now. An interrupt stops it.
    ///
    /// @throws IllegalArgumentException if no output begins or continues at `from`
    /// @throws IOException what the sink threw
    void read(long from, boolean follow, OutputSink sink) throws IOException, InterruptedException;

    /// The position behind all output so far, from which [#read] gives what comes next.
    long position();

    /// [#read] from the beginning to the end; gives the end.
    default Ending streamTo(OutputSink sink) throws IOException, InterruptedException {
        read(0, true, sink);
        return ending().orElseThrow();
    }

    /// Waits until the job has ended.
    Ending await() throws InterruptedException;

    /// Sends bytes to a standard input that was left open, waiting until the sandbox has taken them.
    ///
    /// @param position bytes of standard input before these; bytes already taken are skipped
    /// @return bytes of standard input taken so far
    /// @throws IllegalArgumentException if `position` is past what was taken, or standard input was not left open
    long feed(long position, byte[] data, boolean last) throws IOException, InterruptedException;

    /// Ends the job and everything it started; returns at once. The outcome will be `cancelled` by `by`, unless it
    /// ended before.
    void cancel(String by);

    /// Sends its process the signal of this number, if it still runs; returns at once.
    void signal(int number);

    /// Whether it has a terminal in place of pipes.
    boolean hasTerminal();

    /// Sends bytes to a standard input that was left open, after all that were sent before; for terminals, into which
    /// several may type. Waits until the sandbox has taken those before, at most for `patience`.
    ///
    /// @return whether these were sent; if not, none of them was
    /// @throws IllegalArgumentException if it has ended, or standard input was not left open
    boolean type(byte[] data, Duration patience) throws IOException, InterruptedException;

    /// Gives its terminal another size, of which its foreground processes are told; returns at once.
    ///
    /// @throws IllegalArgumentException if it has no terminal
    void resize(Terminal size);

    @Override
    void close();
}
