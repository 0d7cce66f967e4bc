package dev.bobbin.runner.seccomp;

import static dev.bobbin.runner.seccomp.Instruction.IF_EQUAL;
import static dev.bobbin.runner.seccomp.Instruction.IF_GREATER;
import static dev.bobbin.runner.seccomp.Instruction.IF_GREATER_OR_EQUAL;
import static dev.bobbin.runner.seccomp.Instruction.join;

import dev.bobbin.runner.kernel.Abi;
import dev.bobbin.runner.seccomp.Profile.Condition;
import java.util.List;

/// Conditions of a profile as instructions: a filter loads half of an argument at a time, and the high one is zero
/// where
/// arguments have 32 bits.
final class Comparisons {
    private final Abi abi;

    Comparisons(Abi abi) {
        this.abi = abi;
    }

    /// `then` if the condition holds, else what follows.
    List<Instruction> ifHolds(Condition condition, List<Instruction> then) {
        var argument = condition.argument();
        var value = condition.value();
        var over = then.size();
        return switch (condition.operator()) {
            case EQUAL -> ifOneOf(argument, List.of(value), then);
            case NOT_EQUAL -> join(unequal(argument, value, over), then);
            case GREATER -> join(greater(argument, value, new Instruction(IF_GREATER, 0, over, low(value))), then);
            case GREATER_OR_EQUAL ->
                join(greater(argument, value, new Instruction(IF_GREATER_OR_EQUAL, 0, over, low(value))), then);
            case LESS -> join(less(argument, value, new Instruction(IF_GREATER_OR_EQUAL, over, 0, low(value))), then);
            case LESS_OR_EQUAL -> join(less(argument, value, new Instruction(IF_GREATER, over, 0, low(value))), then);
            case MASKED_EQUAL -> join(masked(argument, value, condition.masked(), over), then);
        };
    }

    /// `then` if the argument is one of `values`, whose high halves are alike, else what follows.
    List<Instruction> ifOneOf(int argument, List<Long> values, List<Instruction> then) {
        var last = new Instruction(IF_EQUAL, 0, then.size(), low(values.getLast()));
        var code = join(List.of(last), then);
        for (var value : values.subList(0, values.size() - 1).reversed()) {
            code = join(List.of(new Instruction(IF_EQUAL, code.size() - then.size(), 0, low(value))), code);
        }
        code = join(List.of(Instruction.loadLow(argument)), code);
        var high = new Instruction(IF_EQUAL, 0, code.size(), high(values.getFirst()));
        return abi.isNarrow() ? code : join(List.of(Instruction.loadHigh(argument), high), code);
    }

    private List<Instruction> unequal(int argument, long value, int over) {
        var low = List.of(Instruction.loadLow(argument), new Instruction(IF_EQUAL, over, 0, low(value)));
        var high = List.of(Instruction.loadHigh(argument), new Instruction(IF_EQUAL, 0, low.size(), high(value)));
        return abi.isNarrow() ? low : join(high, low);
    }

    /// @param last compares the low halves, and jumps if the condition does not hold
    private List<Instruction> greater(int argument, long value, Instruction last) {
        var low = List.of(Instruction.loadLow(argument), last);
        var high = List.of(
                Instruction.loadHigh(argument),
                new Instruction(IF_GREATER, 3, 0, high(value)),
                new Instruction(IF_EQUAL, 0, last.ifFalse() + 2, high(value)));
        return abi.isNarrow() ? low : join(high, low);
    }

    /// @param last as of [#greater]
    private List<Instruction> less(int argument, long value, Instruction last) {
        var low = List.of(Instruction.loadLow(argument), last);
        var high = List.of(
                Instruction.loadHigh(argument),
                new Instruction(IF_GREATER, last.ifTrue() + 3, 0, high(value)),
                new Instruction(IF_EQUAL, 0, 2, high(value)));
        return abi.isNarrow() ? low : join(high, low);
    }

    private List<Instruction> masked(int argument, long mask, long value, int over) {
        var low = List.of(
                Instruction.loadLow(argument),
                Instruction.and(low(mask)),
                new Instruction(IF_EQUAL, 0, over, low(value)));
        var high = List.of(
                Instruction.loadHigh(argument),
                Instruction.and(high(mask)),
                new Instruction(IF_EQUAL, 0, over + low.size(), high(value)));
        return abi.isNarrow() || (high(mask) == 0 && high(value) == 0) ? low : join(high, low);
    }

    static int high(long value) {
        return (int) (value >>> Integer.SIZE);
    }

    private static int low(long value) {
        return (int) value;
    }
}
