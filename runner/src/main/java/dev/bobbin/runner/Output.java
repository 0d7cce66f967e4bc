package dev.bobbin.runner;

/// What a job emits, in the order in which it happened.
public sealed interface Output {

    /// A stream of the program.
    enum Stream {
        STDOUT,
        STDERR
    }

    /// The position in the job's journal just after this output: a reader that starts there continues without loss and
    /// without repetition. Positions rise; the distance between two has no meaning.
    long at();

    /// The program's first instruction.
    record Started(long at, long timeNanos) implements Output {}

    /// Bytes the program wrote.
    ///
    /// @param timeNanos when they were read, in nanoseconds of the wall clock since 1970
    /// @param offset bytes of this stream before these
    /// @param data owned by the reader of the journal: valid until the sink returns
    @SuppressWarnings("ArrayRecordComponent") // a view for one call, never kept or compared
    record Bytes(long at, long timeNanos, Stream stream, long offset, byte[] data) implements Output {}

    /// Bytes of a stream that are lost, and known to be lost. A reader that began at a position which is gone is
    /// told of all bytes before the first that is still there, since nobody knows which of them it had.
    record Gap(long at, Stream stream, long offset, long bytes) implements Output {}

    /// Nothing happened for a while; sent so that proxies keep a quiet connection.
    record Heartbeat(long at) implements Output {}

    /// The end. Always the last.
    record Ended(long at, Ending ending) implements Output {}
}
