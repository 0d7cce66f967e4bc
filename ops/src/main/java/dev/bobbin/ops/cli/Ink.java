package dev.bobbin.ops.cli;

/// Whether there are colours on a terminal.
enum Ink {
    COLOURED,
    PLAIN;

    String of(String code, String text) {
        return this == PLAIN || text.isEmpty() ? text : "\033[" + code + "m" + text + "\033[0m";
    }

    /// A line that somebody's program printed, with its own colours at most.
    String printed(String line) {
        return this == PLAIN ? Cells.plain(line) : Cells.coloured(line);
    }
}
