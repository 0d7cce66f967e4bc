package dev.bobbin.runner.seccomp;

/// What the kernel does with a call.
///
/// @param value as a filter returns it
public record Action(int value) {
    public static final Action ALLOW = new Action(0x7fff0000);
    static final Action KILL_PROCESS = new Action(0x80000000);
    static final Action NOT_THERE = errno(38);

    private static final int LONGEST_ERRNO = 4095;

    /// The call fails with this errno, without having been made.
    static Action errno(int errno) {
        if (errno < 0 || errno > LONGEST_ERRNO) {
            throw new IllegalArgumentException("an errno is between 0 and " + LONGEST_ERRNO + ", not " + errno);
        }
        return new Action(0x00050000 | errno);
    }

    /// The action that profiles call `word`.
    ///
    /// @param errno of those that have one
    static Action named(String word, int errno) {
        return switch (word) {
            case "SCMP_ACT_ALLOW" -> ALLOW;
            case "SCMP_ACT_LOG" -> new Action(0x7ffc0000);
            case "SCMP_ACT_TRAP" -> new Action(0x00030000);
            case "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD" -> new Action(0);
            case "SCMP_ACT_KILL_PROCESS" -> KILL_PROCESS;
            case "SCMP_ACT_ERRNO" -> errno(errno);
            default -> throw new IllegalArgumentException("the action " + word + " is not known here");
        };
    }

    /// Whether the call is made.
    boolean lets() {
        return value >= 0x7ffc0000;
    }
}
