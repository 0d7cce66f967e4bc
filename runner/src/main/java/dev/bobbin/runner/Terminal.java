package dev.bobbin.runner;

/// The size of a terminal, in characters.
public record Terminal(int rows, int columns) {
    private static final int MOST = 65_535;

    public Terminal {
        JobFields.require(rows >= 1 && rows <= MOST, "rows: must be between 1 and 65535");
        JobFields.require(columns >= 1 && columns <= MOST, "columns: must be between 1 and 65535");
    }
}
