package dev.bobbin.runner.seccomp;

import dev.bobbin.runner.kernel.Abi;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// Runs programs of filters as the kernel does, so that they can be asked about any call.
final class Interpreter {
    private final byte[] program;

    Interpreter(byte[] program) {
        this.program = program;
    }

    int instructions() {
        return program.length / Instruction.SIZE;
    }

    /// What the filter answers.
    int answer(Abi abi, int number, long... arguments) {
        var data = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
        data.putInt(number).putInt(abi.architecture()).putLong(0);
        for (var argument : arguments) {
            data.putLong(argument);
        }
        var code = ByteBuffer.wrap(program).order(ByteOrder.LITTLE_ENDIAN);
        var accumulator = 0;
        for (var at = 0; ; at++) {
            var base = at * Instruction.SIZE;
            var operation = code.getShort(base);
            var ifTrue = Byte.toUnsignedInt(code.get(base + 2));
            var ifFalse = Byte.toUnsignedInt(code.get(base + 3));
            var operand = code.getInt(base + 4);
            switch (operation) {
                case 0x20 -> accumulator = data.getInt(operand);
                case 0x54 -> accumulator &= operand;
                case 0x05 -> at += operand;
                case 0x15 -> at += accumulator == operand ? ifTrue : ifFalse;
                case 0x25 -> at += Integer.compareUnsigned(accumulator, operand) > 0 ? ifTrue : ifFalse;
                case 0x35 -> at += Integer.compareUnsigned(accumulator, operand) >= 0 ? ifTrue : ifFalse;
                case 0x06 -> {
                    return operand;
                }
                default -> throw new IllegalStateException("instruction " + Integer.toHexString(operation));
            }
        }
    }
}
