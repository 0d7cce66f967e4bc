package dev.bobbin.ops.cli;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.util.function.Consumer;

/// What is written in any pieces, taken line by line, without the ends of the lines.
final class EachLine extends OutputStream {
    private final Consumer<byte[]> taker;
    private final ByteArrayOutputStream begun = new ByteArrayOutputStream();

    EachLine(Consumer<byte[]> taker) {
        this.taker = taker;
    }

    @Override
    public void write(int each) {
        if (each == '\n') {
            end();
        } else {
            begun.write(each);
        }
    }

    @Override
    public void write(byte[] bytes, int from, int length) {
        for (var at = from; at < from + length; at++) {
            write(bytes[at]);
        }
    }

    /// Takes what has no end of line as a line too.
    @Override
    public void close() {
        if (begun.size() > 0) {
            end();
        }
    }

    private void end() {
        var line = begun.toByteArray();
        begun.reset();
        taker.accept(line);
    }
}
