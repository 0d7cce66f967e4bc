package dev.bobbin.runner;

import java.nio.ByteBuffer;

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
    /// @param data from its position to its limit; owned by the reader of the journal: valid until the sink returns
    record Bytes(long at, long timeNanos, Stream stream, long offset, ByteBuffer data) implements Output {

        /// How many they are.
        public int length() {
            return data.remaining();
        }

        /// The bytes, to be kept.
        public byte[] copy() {
            var copy = new byte[data.remaining()];
            data.get(data.position(), copy);
            return copy;
        }
    }

    /// Bytes of a stream that are lost, and known to be lost. A reader that began at a position which is gone is
    /// told of all bytes before the first that is still there, since nobody knows which of them it had.
    record Gap(long at, Stream stream, long offset, long bytes) implements Output {}

    /// Something that became of a build.
    ///
    /// @param timeNanos in nanoseconds of the wall clock since 1970
    record Progress(long at, long timeNanos, BuildEvent event) implements Output {}

    /// Nothing happened for a while; sent so that proxies keep a quiet connection.
    record Heartbeat(long at) implements Output {}

    /// The end. Always the last.
    record Ended(long at, Ending ending) implements Output {}
}
