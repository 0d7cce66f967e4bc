package dev.bobbin.runner.seccomp;

import dev.bobbin.runner.kernel.Abi;
import dev.bobbin.runner.seccomp.Profile.Operator;
import dev.bobbin.runner.seccomp.Profile.Rule;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A profile as a program for the kernel.
final class FilterProgram {
    /* Loading a filter costs by its length, and every exec loads it: the kernel translates it, and asks it about each
     * number once, to know what is always allowed. So numbers in a row with the same answer are one leaf of a binary tree
     * here, which makes it a fifth of what libseccomp's own tree is (decisions/0010). That library is asked for the names.
     *
     * A number that it does not know is of a newer kernel, or of none: the call is "not there", so that a C library falls
     * back on an older one, which it would not do on EPERM. */

    /// The kernel takes no longer one.
    private static final int MOST_INSTRUCTIONS = 4096;

    /// So that every jump among them is short.
    private static final int MOST_ALIKE = 100;

    /// The call of [Abi#X86] that stands for all these; what its arguments point to cannot be looked at.
    private static final String MULTIPLEXER = "socketcall";

    private static final List<String> MULTIPLEXED = List.of(
            "",
            "socket",
            "bind",
            "connect",
            "listen",
            "accept",
            "getsockname",
            "getpeername",
            "socketpair",
            "send",
            "recv",
            "sendto",
            "recvfrom",
            "shutdown",
            "setsockopt",
            "getsockopt",
            "sendmsg",
            "recvmsg",
            "accept4",
            "recvmmsg",
            "sendmmsg");

    private final Profile profile;
    private final Map<String, List<Rule>> rules = new HashMap<>();

    private FilterProgram(Profile profile) {
        this.profile = profile;
        for (var rule : profile.rules()) {
            rule.names()
                    .forEach(name ->
                            rules.computeIfAbsent(name, _ -> new ArrayList<>()).add(rule));
        }
    }

    /// @param numbers of the calls of an ABI
    static byte[] of(Profile profile, Function<Abi, Map<String, Integer>> numbers) {
        var program = new FilterProgram(profile).program(numbers);
        if (program.size() > MOST_INSTRUCTIONS) {
            throw new IllegalArgumentException(
                    "the profile comes to " + program.size() + " instructions, the kernel takes " + MOST_INSTRUCTIONS);
        }
        return Instruction.encode(program);
    }

    private List<Instruction> program(Function<Abi, Map<String, Integer>> numbers) {
        var byArchitecture = new TreeMap<Integer, SortedMap<Integer, List<Instruction>>>();
        for (var abi : profile.abis()) {
            byArchitecture.computeIfAbsent(abi.architecture(), _ -> nothing()).putAll(leaves(abi, numbers.apply(abi)));
        }
        var program = List.of(Instruction.loadArchitecture());
        for (var each : byArchitecture.entrySet()) {
            var calls = Instruction.join(List.of(Instruction.loadNumber()), tree(each.getValue()));
            program = Instruction.join(program, Instruction.ifEqual(each.getKey(), calls));
        }
        return Instruction.join(program, answer(Action.KILL_PROCESS));
    }

    /// As if the kernel had no calls; the second half is where those of a second ABI would be.
    private static SortedMap<Integer, List<Instruction>> nothing() {
        return new TreeMap<>(Map.of(0, answer(Action.NOT_THERE), Abi.X32.firstNumber(), answer(Action.NOT_THERE)));
    }

    /// What is done from each of these numbers on, up to the next.
    private SortedMap<Integer, List<Instruction>> leaves(Abi abi, Map<String, Integer> numbers) {
        var unknown = answer(profile.otherwise().lets() ? profile.otherwise() : Action.NOT_THERE);
        var leaves = new TreeMap<Integer, List<Instruction>>();
        leaves.put(abi.firstNumber(), unknown);
        numbers.forEach((_, number) -> leaves.put(number + 1, unknown));
        numbers.forEach((name, number) -> leaves.put(number, call(abi, name)));
        return leaves;
    }

    private List<Instruction> call(Abi abi, String name) {
        if (abi == Abi.X86 && name.equals(MULTIPLEXER)) {
            return multiplexer();
        }
        var comparisons = new Comparisons(abi);
        var code = answer(unconditional(name));
        for (var alike : alike(rules.getOrDefault(name, List.of())).reversed()) {
            code = Instruction.join(decide(comparisons, alike), code);
        }
        return code;
    }

    /// The rules with conditions, in order; those that compare one argument with a value each, and all do the same, at
    /// once.
    private static List<List<Rule>> alike(List<Rule> rules) {
        var groups = new ArrayList<List<Rule>>();
        for (var rule : rules) {
            if (rule.conditions().isEmpty()) {
                continue;
            }
            if (groups.isEmpty()
                    || groups.getLast().size() == MOST_ALIKE
                    || !isAlike(groups.getLast().getLast(), rule)) {
                groups.add(new ArrayList<>());
            }
            groups.getLast().add(rule);
        }
        return groups;
    }

    private static boolean isAlike(Rule one, Rule other) {
        var first = one.conditions().getFirst();
        var second = other.conditions().getFirst();
        return one.action().equals(other.action())
                && one.conditions().size() == 1
                && other.conditions().size() == 1
                && first.operator() == Operator.EQUAL
                && second.operator() == Operator.EQUAL
                && first.argument() == second.argument()
                && Comparisons.high(first.value()) == Comparisons.high(second.value());
    }

    private static List<Instruction> decide(Comparisons comparisons, List<Rule> alike) {
        var then = answer(alike.getFirst().action());
        if (alike.size() > 1) {
            var argument = alike.getFirst().conditions().getFirst().argument();
            var values = alike.stream()
                    .map(rule -> rule.conditions().getFirst().value())
                    .toList();
            return comparisons.ifOneOf(argument, values, then);
        }
        for (var condition : alike.getFirst().conditions().reversed()) {
            then = comparisons.ifHolds(condition, then);
        }
        return then;
    }

    private Action unconditional(String name) {
        return rules.getOrDefault(name, List.of()).stream()
                .filter(rule -> rule.conditions().isEmpty())
                .findFirst()
                .map(Rule::action)
                .orElse(profile.otherwise());
    }

    /// Lets those through about which no rule has a condition.
    private List<Instruction> multiplexer() {
        var whole = rules.getOrDefault(MULTIPLEXER, List.of()).isEmpty() ? null : unconditional(MULTIPLEXER);
        var leaves = new TreeMap<Integer, List<Instruction>>();
        for (var number = 0; number < MULTIPLEXED.size(); number++) {
            leaves.put(number, answer(multiplexed(MULTIPLEXED.get(number), whole)));
        }
        leaves.put(MULTIPLEXED.size(), answer(Action.NOT_THERE));
        return Instruction.join(List.of(Instruction.loadLow(0)), tree(leaves));
    }

    private Action multiplexed(String name, @Nullable Action whole) {
        var conditional = rules.getOrDefault(name, List.of()).stream()
                .anyMatch(rule -> !rule.conditions().isEmpty());
        if (conditional) {
            return profile.otherwise().lets() ? Action.errno(1) : profile.otherwise();
        }
        return whole == null ? unconditional(name) : whole;
    }

    private static List<Instruction> answer(Action action) {
        return List.of(Instruction.answer(action));
    }

    /// A binary tree over unsigned numbers, which are all at least the first of `leaves`.
    private static List<Instruction> tree(SortedMap<Integer, List<Instruction>> leaves) {
        var from = new ArrayList<Integer>();
        var code = new ArrayList<List<Instruction>>();
        leaves.forEach((number, each) -> {
            if (code.isEmpty() || !code.getLast().equals(each)) {
                from.add(number);
                code.add(each);
            }
        });
        return tree(from, code);
    }

    private static List<Instruction> tree(List<Integer> from, List<List<Instruction>> code) {
        if (code.size() == 1) {
            return code.getFirst();
        }
        var middle = code.size() / 2;
        return Instruction.split(
                from.get(middle),
                tree(from.subList(0, middle), code.subList(0, middle)),
                tree(from.subList(middle, from.size()), code.subList(middle, code.size())));
    }
}
