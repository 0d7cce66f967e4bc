package dev.bobbin.runner;

/// Something that became of a build, as whoever watches it is told.
///
/// @param step the name of the block that it is about; empty if it is about the whole
/// @param text for [Kind#STARTED] the step's title, for [Kind#FAILED] why, for [Kind#NOTE] the note, for
///        [Kind#FINISHED] the digest of the image
/// @param millis how long it took, of what is over
public record BuildEvent(Kind kind, String step, String text, long millis) {

    /// What became of it.
    public enum Kind {
        /// A step begins: its command runs, or its files are copied.
        STARTED,
        /// A step was done before, and its layer is still there.
        CACHED,
        DONE,
        FAILED,
        /// A step did not come to its end because the build ended.
        CANCELLED,
        /// A word of warning, or of what goes on.
        NOTE,
        /// All steps are done, and the image is put together.
        EXPORTING,
        FINISHED
    }
}
