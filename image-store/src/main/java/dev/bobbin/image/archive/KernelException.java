package dev.bobbin.image.archive;

import java.io.IOException;

/// A system call that failed.
final class KernelException extends IOException {
    static final int NO_ENTRY = 2;
    static final int NO_MEMORY = 12;
    static final int EXISTS = 17;
    static final int NO_DIRECTORY = 20;
    static final int IS_DIRECTORY = 21;
    static final int INVALID = 22;
    static final int TOO_BIG = 27;
    static final int NO_SPACE = 28;
    static final int TOO_MANY_LINKS = 31;
    static final int OUT_OF_RANGE = 34;
    static final int NAME_TOO_LONG = 36;
    static final int LOOP = 40;
    static final int NO_DATA = 61;
    static final int UNSUPPORTED = 95;
    static final int OVER_QUOTA = 122;

    private final int number;

    KernelException(String tried, int number, String meaning) {
        super("could not " + tried + ": " + meaning);
        this.number = number;
    }

    /// The `errno`.
    int number() {
        return number;
    }

    boolean isDiskFull() {
        return number == NO_SPACE || number == OVER_QUOTA;
    }

    /// Whether the cause is what was asked for, not the machine.
    boolean isCallersFault() {
        return switch (number) {
            case NO_ENTRY,
                    EXISTS,
                    NO_DIRECTORY,
                    IS_DIRECTORY,
                    INVALID,
                    TOO_BIG,
                    TOO_MANY_LINKS,
                    OUT_OF_RANGE,
                    NAME_TOO_LONG,
                    LOOP -> true;
            default -> false;
        };
    }
}
