package dev.bobbin.runner.net.dns;

/// What became of a question for a name.
public enum QueryResult {
    ANSWERED,
    NO_SUCH_NAME,
    /// A name that the sandbox may not ask for, or a kind of question that nobody here answers.
    REFUSED,
    /// No name server said anything, or none that was asked.
    FAILED,
    /// The sandbox has too many under way.
    BUSY,
    MALFORMED,
    /// Not even answered, as the sandbox asks too often.
    DROPPED;

    static QueryResult of(int code) {
        return switch (code) {
            case ResponseCode.NO_ERROR -> ANSWERED;
            case ResponseCode.NO_SUCH_NAME -> NO_SUCH_NAME;
            case ResponseCode.SERVER_FAILURE -> FAILED;
            case ResponseCode.FORMAT_ERROR, ResponseCode.BAD_VERSION -> MALFORMED;
            default -> REFUSED;
        };
    }
}
