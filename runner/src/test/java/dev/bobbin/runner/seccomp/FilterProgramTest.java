package dev.bobbin.runner.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.runner.kernel.Abi;
import dev.bobbin.runner.kernel.Libseccomp;
import dev.bobbin.runner.kernel.SystemCalls;
import dev.bobbin.runner.seccomp.Profile.Condition;
import dev.bobbin.runner.seccomp.Profile.Operator;
import dev.bobbin.runner.seccomp.Profile.Rule;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Programs say what their profiles say, and what libseccomp's own programs say.
class FilterProgramTest {
    private static final int ALLOW = Action.ALLOW.value();
    private static final int EPERM = Action.errno(1).value();
    private static final int ENOSYS = Action.errno(38).value();
    private static final int MOST_NUMBERS = 600;
    private static final int SOCKETCALL = 102;

    /// What arguments are compared with, and what lies beside it.
    private static final long[] TELLING = {
        0,
        1,
        2,
        7,
        8,
        9,
        10,
        16,
        17,
        40,
        0x20000,
        0x20008,
        0x7e020000L,
        0x10000000L,
        0xffffffffL,
        1L << 32,
        (1L << 32) + 1,
        (16L << 32) + 16,
        -1,
        Long.MIN_VALUE,
        0x5412,
        0x5413,
        (1L << 32) + 0x5412
    };

    /// In the order of libseccomp's header.
    private static final List<Operator> OPERATORS = List.of(
            Operator.NOT_EQUAL,
            Operator.LESS,
            Operator.LESS_OR_EQUAL,
            Operator.EQUAL,
            Operator.GREATER_OR_EQUAL,
            Operator.GREATER,
            Operator.MASKED_EQUAL);

    private static final Profile STANDARD = standard();

    private static Profile standard() {
        try (var in = Filters.class.getResourceAsStream("default.json")) {
            return ProfileText.read(
                    new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8), Abi.ofMachine());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void agreesWithLibseccompAboutTheStandardProfile() {
        // libseccomp cannot both allow a call and forbid it with one argument
        var rules = STANDARD.rules().stream()
                .filter(rule -> !rule.names().equals(Set.of("ioctl")))
                .toList();
        agree(new Profile(STANDARD.abis(), STANDARD.otherwise(), rules), MOST_NUMBERS);
    }

    @Test
    void agreesWithLibseccompAboutProfilesMadeAtRandom() {
        var random = seeded();
        for (var round = 0; round < 30; round++) {
            // of several rules about a call the library forgets some, so here it gets one each
            var rules = new ArrayList<>(rules(random));
            var seen = new HashSet<Set<String>>();
            rules.removeIf(rule -> !seen.add(rule.names()));
            agree(new Profile(STANDARD.abis(), Action.errno(1), rules), 45);
        }
    }

    @Test
    void doesWhatProfilesMadeAtRandomSay() {
        var random = seeded();
        for (var round = 0; round < 30; round++) {
            var profile = new Profile(STANDARD.abis(), Action.errno(1), rules(random));
            var program = new Interpreter(FilterProgram.of(profile, SystemCalls::of));
            for (var call : SystemCalls.of(Abi.X86_64).entrySet()) {
                for (var times = 0; times < 100; times++) {
                    var arguments = random.ints(3, 0, TELLING.length)
                            .mapToLong(i -> TELLING[i])
                            .toArray();
                    assertThat(program.answer(Abi.X86_64, call.getValue(), arguments))
                            .as("%s %s", call, Arrays.toString(arguments))
                            .isEqualTo(said(profile, call.getKey(), arguments).value());
                }
            }
        }
    }

    /// What the profile says, read as a person reads it.
    private static Action said(Profile profile, String name, long[] arguments) {
        var about = profile.rules().stream()
                .filter(rule -> rule.names().contains(name))
                .sorted(Comparator.comparing(rule -> rule.conditions().isEmpty()))
                .toList();
        return about.stream()
                .filter(rule -> rule.conditions().stream().allMatch(each -> holds(each, arguments[each.argument()])))
                .findFirst()
                .map(Rule::action)
                .orElse(profile.otherwise());
    }

    private static boolean holds(Condition condition, long argument) {
        var order = Long.compareUnsigned(argument, condition.value());
        return switch (condition.operator()) {
            case NOT_EQUAL -> order != 0;
            case LESS -> order < 0;
            case LESS_OR_EQUAL -> order <= 0;
            case EQUAL -> order == 0;
            case GREATER_OR_EQUAL -> order >= 0;
            case GREATER -> order > 0;
            case MASKED_EQUAL -> (argument & condition.value()) == condition.masked();
        };
    }

    private static Random seeded() {
        var seed = Long.getLong("bobbin.seed", System.nanoTime());
        System.out.println("FilterProgramTest: -Dbobbin.seed=" + seed);
        return new Random(seed);
    }

    private static List<Rule> rules(Random random) {
        var names = SystemCalls.of(Abi.X86_64).entrySet().stream()
                .filter(call -> call.getValue() < 40)
                .map(Map.Entry::getKey)
                .sorted()
                .toList();
        var rules = new ArrayList<Rule>();
        for (var i = 0; i < 60; i++) {
            rules.add(new Rule(Set.of(names.get(random.nextInt(names.size()))), Action.ALLOW, conditions(random)));
        }
        return rules;
    }

    private static List<Condition> conditions(Random random) {
        var conditions = new ArrayList<Condition>();
        for (var argument = 0; argument < 3; argument++) {
            if (random.nextInt(3) == 0) {
                var operator = OPERATORS.get(random.nextInt(OPERATORS.size()));
                var value = TELLING[random.nextInt(TELLING.length)];
                var masked = operator == Operator.MASKED_EQUAL ? value & TELLING[random.nextInt(TELLING.length)] : 0;
                conditions.add(new Condition(argument, operator, value, masked));
            }
        }
        return conditions;
    }

    private static void agree(Profile profile, int mostNumbers) {
        var ours = new Interpreter(FilterProgram.of(profile, SystemCalls::of));
        var theirs = new Interpreter(byLibseccomp(profile));
        for (var abi : profile.abis()) {
            var known = SystemCalls.of(abi);
            for (var number = 0; number < mostNumbers; number++) {
                if (abi == Abi.X86 && number == SOCKETCALL) {
                    continue; // there the library lets sockets of every family be made
                }
                var second = telling(abi)[number % TELLING.length];
                for (var first : telling(abi)) {
                    for (var third : telling(abi)) {
                        var theirAnswer = theirs.answer(abi, number, first, second, third);
                        var expected = !known.containsValue(number) ? ENOSYS : theirAnswer;
                        if (ours.answer(abi, number, first, second, third) == expected) {
                            continue; // the description is long
                        }
                        assertThat(ours.answer(abi, number, first, second, third))
                                .as(
                                        "%s %d(%x, %x, %x) of %s",
                                        abi, number, first, second, third, about(profile, known, number))
                                .isEqualTo(expected);
                    }
                }
            }
        }
    }

    private static List<Rule> about(Profile profile, Map<String, Integer> known, int number) {
        return profile.rules().stream()
                .filter(rule -> rule.names().stream().anyMatch(name -> known.getOrDefault(name, -1) == number))
                .toList();
    }

    private static long[] telling(Abi abi) {
        return abi.isNarrow()
                ? Arrays.stream(TELLING).map(value -> value & 0xffffffffL).toArray()
                : TELLING;
    }

    private static byte[] byLibseccomp(Profile profile) {
        var besides =
                profile.abis().stream().filter(abi -> abi != Abi.ofMachine()).toList();
        try (var library = new Libseccomp(profile.otherwise().value(), besides)) {
            for (var rule : profile.rules()) {
                var comparisons = rule.conditions().stream()
                        .map(each -> new Libseccomp.Comparison(
                                each.argument(), OPERATORS.indexOf(each.operator()) + 1, each.value(), each.masked()))
                        .toList();
                if (!rule.action().equals(profile.otherwise())) {
                    rule.names().forEach(name -> library.rule(rule.action().value(), name, comparisons));
                }
            }
            return library.program();
        }
    }

    @Test
    void isShorterThanLibseccompsProgram() {
        var rules = STANDARD.rules().stream()
                .filter(rule -> !rule.names().equals(Set.of("ioctl")))
                .toList();
        var profile = new Profile(STANDARD.abis(), STANDARD.otherwise(), rules);
        var ours = new Interpreter(FilterProgram.of(profile, SystemCalls::of)).instructions();
        var theirs = new Interpreter(byLibseccomp(profile)).instructions();
        System.out.println("FilterProgramTest: " + ours + " instructions, libseccomp's " + theirs);
        assertThat(ours).isLessThan(theirs * 2 / 3);
    }

    @Test
    void looksAtTheLowHalfOfAnIoctlAsTheKernelDoes() {
        var program = new Interpreter(FilterProgram.of(STANDARD, SystemCalls::of));
        assertThat(program.answer(Abi.X86_64, 16, 0, 0x5412)).isEqualTo(EPERM);
        assertThat(program.answer(Abi.X86_64, 16, 0, (1L << 32) + 0x5412)).isEqualTo(EPERM);
        assertThat(program.answer(Abi.X86_64, 16, 0, 0x5413)).isEqualTo(ALLOW);
    }

    @Test
    void makesNoSocketByTheCallThatStandsForMany() {
        var program = new Interpreter(FilterProgram.of(STANDARD, SystemCalls::of));
        assertThat(program.answer(Abi.X86, SOCKETCALL, 1)).isEqualTo(EPERM);
        assertThat(program.answer(Abi.X86, SOCKETCALL, 8)).isEqualTo(EPERM);
        assertThat(program.answer(Abi.X86, SOCKETCALL, 3)).isEqualTo(ALLOW);
        assertThat(program.answer(Abi.X86, SOCKETCALL, 99)).isEqualTo(ENOSYS);
    }

    @Test
    void saysThatCallsOfX32AreNotThereUnlessTheProfileNamesThem() {
        var everything = new Profile(Set.of(Abi.X86_64), Action.ALLOW, List.of());
        var program = new Interpreter(FilterProgram.of(everything, SystemCalls::of));
        assertThat(program.answer(Abi.X86_64, 0)).isEqualTo(ALLOW);
        assertThat(program.answer(Abi.X86_64, 100_000)).isEqualTo(ALLOW);
        assertThat(program.answer(Abi.X86_64, 0x40000000)).isEqualTo(ENOSYS);
        assertThat(program.answer(Abi.X86_64, -1)).isEqualTo(ENOSYS);
        var both = new Profile(
                Set.of(Abi.X86_64, Abi.X32),
                Action.errno(1),
                List.of(new Rule(Set.of("read", "execve"), Action.ALLOW, List.of())));
        program = new Interpreter(FilterProgram.of(both, SystemCalls::of));
        assertThat(program.answer(Abi.X86_64, 0x40000000)).isEqualTo(ALLOW);
        assertThat(program.answer(Abi.X86_64, 0x40000001)).isEqualTo(EPERM);
        // a number of its own
        assertThat(program.answer(Abi.X86_64, 0x40000000 + 520)).isEqualTo(ALLOW);
    }

    @Test
    void killsWhoCallsByAnAbiThatTheProfileDoesNotName() {
        var program = new Interpreter(
                FilterProgram.of(new Profile(Set.of(Abi.X86_64), Action.ALLOW, List.of()), SystemCalls::of));
        assertThat(program.answer(Abi.X86, 0)).isEqualTo(Action.KILL_PROCESS.value());
    }

    @Test
    void refusesProfileThatTheKernelWouldNotTake() {
        var rules = new ArrayList<Rule>();
        for (var i = 0; i < 1500; i++) {
            rules.add(new Rule(Set.of("read"), Action.ALLOW, List.of(new Condition(0, Operator.GREATER, i, 0))));
        }
        var profile = new Profile(Set.of(Abi.X86_64), Action.errno(1), rules);
        assertThatThrownBy(() -> FilterProgram.of(profile, SystemCalls::of))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("instructions, the kernel takes 4096");
    }
}
