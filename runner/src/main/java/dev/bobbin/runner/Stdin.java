package dev.bobbin.runner;

/// What a job reads from standard input.
public sealed interface Stdin {

    /// Nothing: the first read finds the end.
    record Empty() implements Stdin {}

    /// These bytes, then the end. The array belongs to this value and must not be changed.
    @SuppressWarnings("ArrayRecordComponent") // compared by nobody; copying up to 1 MiB per job would serve nobody
    record Bytes(byte[] data) implements Stdin {
        /// The longest text that may be sent with the job itself.
        public static final int LONGEST = 1024 * 1024;

        public Bytes {
            if (data.length > LONGEST) {
                throw new IllegalArgumentException("stdin has at most 1 MiB; use \"open\" and stream it");
            }
        }
    }

    /// Bytes that arrive while the job runs, through [Execution#feed].
    record Open() implements Stdin {}
}
