package dev.bobbin.runner.seccomp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/// One instruction of a classic BPF program, and the pieces that programs are made of. Jumps are relative and lead
/// forward, so pieces can be joined as they are.
///
/// @param ifTrue how many instructions to skip, at most 255
/// @param ifFalse likewise
record Instruction(int code, int ifTrue, int ifFalse, int operand) {
    static final int SIZE = 8;

    static final int IF_EQUAL = 0x15;
    static final int IF_GREATER = 0x25;
    static final int IF_GREATER_OR_EQUAL = 0x35;

    private static final int LOAD = 0x20;
    private static final int AND = 0x54;
    private static final int RETURN = 0x06;
    private static final int JUMP = 0x05;
    private static final int FARTHEST = 255;

    /// Where struct seccomp_data has what.
    private static final int NUMBER = 0;

    private static final int ARCHITECTURE = 4;
    private static final int ARGUMENTS = 16;

    Instruction {
        if (ifTrue < 0 || ifTrue > FARTHEST || ifFalse < 0 || ifFalse > FARTHEST) {
            throw new IllegalArgumentException("too far a jump");
        }
    }

    static byte[] encode(List<Instruction> program) {
        var bytes = ByteBuffer.allocate(program.size() * SIZE).order(ByteOrder.LITTLE_ENDIAN);
        for (var each : program) {
            bytes.putShort((short) each.code)
                    .put((byte) each.ifTrue)
                    .put((byte) each.ifFalse)
                    .putInt(each.operand);
        }
        return bytes.array();
    }

    static Instruction loadNumber() {
        return new Instruction(LOAD, 0, 0, NUMBER);
    }

    static Instruction loadArchitecture() {
        return new Instruction(LOAD, 0, 0, ARCHITECTURE);
    }

    static Instruction loadLow(int argument) {
        return new Instruction(LOAD, 0, 0, ARGUMENTS + argument * Long.BYTES);
    }

    static Instruction loadHigh(int argument) {
        return new Instruction(LOAD, 0, 0, ARGUMENTS + argument * Long.BYTES + Integer.BYTES);
    }

    static Instruction and(int mask) {
        return new Instruction(AND, 0, 0, mask);
    }

    static Instruction answer(Action action) {
        return new Instruction(RETURN, 0, 0, action.value());
    }

    /// `then` if what is loaded equals `value`, else what follows.
    static List<Instruction> ifEqual(int value, List<Instruction> then) {
        return then.size() <= FARTHEST
                ? join(List.of(new Instruction(IF_EQUAL, 0, then.size(), value)), then)
                : join(List.of(new Instruction(IF_EQUAL, 1, 0, value), skip(then)), then);
    }

    /// `below` if what is loaded is less than `border`, else `above`. Neither goes on to what follows.
    static List<Instruction> split(int border, List<Instruction> below, List<Instruction> above) {
        var choice = below.size() <= FARTHEST
                ? List.of(new Instruction(IF_GREATER_OR_EQUAL, below.size(), 0, border))
                : List.of(new Instruction(IF_GREATER_OR_EQUAL, 0, 1, border), skip(below));
        return join(choice, below, above);
    }

    private static Instruction skip(List<Instruction> code) {
        return new Instruction(JUMP, 0, 0, code.size());
    }

    @SafeVarargs
    static List<Instruction> join(List<Instruction>... parts) {
        var all = new ArrayList<Instruction>();
        for (var part : parts) {
            all.addAll(part);
        }
        return all;
    }
}
