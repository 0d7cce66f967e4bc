package dev.bobbin.runner.build.dockerfile;

/// File modes as recipes write them.
final class Modes {
    private static final int OCTAL = 8;

    private Modes() {}

    /// @param what the flag or key that it is the value of
    static int octal(Statement statement, String what, String text) {
        if (!text.matches("[0-7]{1,5}") || Integer.parseInt(text, OCTAL) > 07777) {
            throw statement.refuse(what + " is an octal number such as 0755, not \"" + text + "\"");
        }
        return Integer.parseInt(text, OCTAL);
    }
}
