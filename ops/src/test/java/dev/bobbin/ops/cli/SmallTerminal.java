package dev.bobbin.ops.cli;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// What a terminal of so many columns shows of what is printed to it. It scrolls without an end, breaks lines as xterm
/// does (a full row keeps the cursor in its last cell until more comes), and knows no sequence but those we use.
final class SmallTerminal {
    private final int columns;
    private final List<List<String>> rows = new ArrayList<>();
    private int row;
    private int column;
    private boolean isFull;
    private boolean wraps = true;

    private SmallTerminal(int columns) {
        this.columns = columns;
        rows.add(new ArrayList<>());
    }

    static List<String> seen(String printed, int columns) {
        var terminal = new SmallTerminal(columns);
        for (var at = 0; at < printed.length(); ) {
            at = printed.charAt(at) == '\033' ? terminal.sequence(printed, at + 1) : terminal.put(printed, at);
        }
        return terminal.rows.stream().map(cells -> String.join("", cells)).toList();
    }

    private int sequence(String printed, int from) {
        var end = from + 1;
        while (!Character.isLetter(printed.charAt(end))) {
            end++;
        }
        var sequence = printed.substring(from, end + 1);
        switch (sequence.charAt(sequence.length() - 1)) {
            case 'A' -> {
                row -= Integer.parseInt(sequence.substring(1, sequence.length() - 1));
                isFull = false;
            }
            case 'K' -> clearRow();
            case 'J' -> {
                clearRow();
                rows.subList(row + 1, rows.size()).clear();
            }
            case 'h', 'l' -> {
                if (!sequence.startsWith("[?7")) {
                    throw new AssertionError("unknown sequence " + sequence);
                }
                wraps = sequence.endsWith("h");
            }
            case 'm' -> {}
            default -> throw new AssertionError("unknown sequence " + sequence);
        }
        return end + 1;
    }

    private void clearRow() {
        var cells = rows.get(row);
        cells.subList(Math.min(column, cells.size()), cells.size()).clear();
    }

    private int put(String printed, int at) {
        var each = printed.codePointAt(at);
        if (each == '\r') {
            column = 0;
            isFull = false;
        } else if (each == '\n') {
            down();
        } else if (Character.isISOControl(each)) {
            throw new AssertionError("unknown control character " + each);
        } else {
            put(Character.toString(each));
        }
        return at + Character.charCount(each);
    }

    private void put(String character) {
        var cells = Cells.width(character);
        if (wraps && (isFull || column + cells > columns)) {
            down();
        }
        var line = rows.get(row);
        column = Math.min(column, columns - cells);
        line.addAll(Collections.nCopies(Math.max(0, column + cells - line.size()), " "));
        line.set(column, character);
        if (cells == 2) {
            line.set(column + 1, "");
        }
        isFull = column + cells == columns;
        column = Math.min(column + cells, columns - 1);
    }

    private void down() {
        row++;
        column = 0;
        isFull = false;
        if (row == rows.size()) {
            rows.add(new ArrayList<>());
        }
    }
}
