package dev.bobbin.runner.seccomp;

import dev.bobbin.runner.kernel.Abi;
import java.util.List;
import java.util.Set;

/// Which calls a job may make, with which arguments.
///
/// @param abis those by which calls may be made at all
/// @param otherwise what becomes of a call that no rule is about
public record Profile(Set<Abi> abis, Action otherwise, List<Rule> rules) {

    public Profile {
        abis = Set.copyOf(abis);
        rules = List.copyOf(rules);
    }

    /// Whether the call is made whatever its arguments are.
    boolean lets(String name) {
        var about = rules.stream().filter(rule -> rule.names().contains(name)).toList();
        return about.stream().allMatch(rule -> rule.action().lets()) && (!about.isEmpty() || otherwise.lets());
    }

    /// What becomes of the calls with these names. Of several about one call the first whose conditions hold decides;
    /// one
    /// without conditions is asked last, wherever it stands.
    ///
    /// @param conditions which all must hold
    public record Rule(Set<String> names, Action action, List<Condition> conditions) {
        public Rule {
            names = Set.copyOf(names);
            conditions = List.copyOf(conditions);
        }
    }

    /// A comparison of one argument, 64 bits without a sign.
    ///
    /// @param argument its index, 0 to 5
    /// @param value to compare with; of [Operator#MASKED_EQUAL] the mask
    /// @param masked of [Operator#MASKED_EQUAL] what the masked argument is to be, else 0
    public record Condition(int argument, Operator operator, long value, long masked) {
        private static final int MOST_ARGUMENTS = 6;

        public Condition {
            if (argument < 0 || argument >= MOST_ARGUMENTS) {
                throw new IllegalArgumentException("a call has no argument " + argument);
            }
        }
    }

    /// How to compare.
    public enum Operator {
        NOT_EQUAL,
        LESS,
        LESS_OR_EQUAL,
        EQUAL,
        GREATER_OR_EQUAL,
        GREATER,
        MASKED_EQUAL
    }
}
