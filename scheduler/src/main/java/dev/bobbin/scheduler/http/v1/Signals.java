package dev.bobbin.scheduler.http.v1;

import dev.bobbin.scheduler.http.exchange.JsonInput;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// The names of signals, as `kill -l` writes them.
final class Signals {
    static final int SIGKILL = 9;
    static final int SIGTERM = 15;

    private static final List<String> NAMES = List.of(
            "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
            "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
            "WINCH", "IO", "PWR", "SYS");
    private static final int FIRST_OF_REAL_TIME = 34;
    private static final int LAST = 64;

    private Signals() {}

    static String name(int number) {
        return number >= 1 && number <= NAMES.size()
                ? "SIG" + NAMES.get(number - 1)
                : "SIGRTMIN+" + (number - FIRST_OF_REAL_TIME);
    }

    /// The number of a signal written as `SIGTERM`, `TERM`, `SIGRTMIN+1` or 15.
    static int number(JsonInput value) throws IOException {
        var text = value.isNumber() ? value.number() : value.string();
        var number = number(text.toUpperCase(Locale.ROOT));
        if (number < 1 || number > LAST) {
            throw value.wrong("must be a signal such as \"SIGTERM\", or its number from 1 to 64");
        }
        return number;
    }

    /// The signal that asks the program of an image to end: SIGTERM if the image names none, or none that is known.
    static int toStop(Optional<String> ofImage) {
        var number = ofImage.map(text -> number(text.toUpperCase(Locale.ROOT))).orElse(SIGTERM);
        return number < 1 || number > LAST ? SIGTERM : number;
    }

    private static int number(String text) {
        var name = text.startsWith("SIG") ? text.substring(3) : text;
        if (name.matches("RTMIN(\\+[0-9]{1,2})?")) {
            var above = name.substring("RTMIN".length());
            return FIRST_OF_REAL_TIME + (above.isEmpty() ? 0 : Integer.parseInt(above));
        }
        return text.matches("[0-9]{1,3}") ? Integer.parseInt(text) : NAMES.indexOf(name) + 1;
    }
}
