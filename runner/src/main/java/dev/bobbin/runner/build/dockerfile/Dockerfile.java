package dev.bobbin.runner.build.dockerfile;

import dev.bobbin.runner.build.BuildException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A Dockerfile as it is written: its stages, and the arguments before them.
record Dockerfile(List<Instruction.Arg> globals, List<Stage> stages) {
    /// No image has as many layers, so none is refused that could be built.
    private static final int MOST_INSTRUCTIONS = 2000;

    private static final int MOST_STAGES = 200;

    Dockerfile {
        globals = List.copyOf(globals);
        stages = List.copyOf(stages);
    }

    static Dockerfile read(String text) {
        var globals = new ArrayList<Instruction.Arg>();
        var stages = new ArrayList<Stage>();
        var statements = Lexer.read(text);
        if (statements.size() > MOST_INSTRUCTIONS) {
            throw statements.get(MOST_INSTRUCTIONS).refuse("there are over " + MOST_INSTRUCTIONS + " instructions");
        }
        for (var statement : statements) {
            switch (Instructions.read(statement)) {
                case Instruction.From from -> {
                    if (stages.size() == MOST_STAGES) {
                        throw statement.refuse("there are over " + MOST_STAGES + " stages");
                    }
                    stages.add(new Stage(stages.size(), from, new ArrayList<>()));
                }
                case Instruction.Arg arg when stages.isEmpty() -> globals.add(arg);
                case Instruction other -> {
                    if (stages.isEmpty()) {
                        throw statement.refuse("a Dockerfile begins with FROM; before it only ARG may stand");
                    }
                    stages.getLast().instructions().add(other);
                }
            }
        }
        if (stages.isEmpty()) {
            throw BuildException.recipe(0, "there is no FROM; a Dockerfile begins with FROM image");
        }
        return new Dockerfile(globals, stages);
    }

    /// The stage that `target` names, by its name or number; the last if it is `null`.
    Stage target(@Nullable String target) {
        if (target == null || target.isEmpty()) {
            return stages.getLast();
        }
        return named(target, stages.size())
                .or(() -> numbered(target, stages.size()))
                .orElseThrow(() -> BuildException.recipe(
                        0,
                        "there is no stage " + target + " to build; there are "
                                + String.join(
                                        ", ", stages.stream().map(Stage::label).toList())));
    }

    /// The last of the first `count` stages that has this name.
    Optional<Stage> named(String name, int count) {
        var lower = name.toLowerCase(Locale.ROOT);
        return stages.subList(0, count).reversed().stream()
                .filter(stage -> lower.equals(stage.from().stage()))
                .findFirst();
    }

    /// Of the first `count` stages the one of this number, counted from 0.
    Optional<Stage> numbered(String text, int count) {
        return text.matches("[0-9]{1,4}") && Integer.parseInt(text) < count
                ? Optional.of(stages.get(Integer.parseInt(text)))
                : Optional.empty();
    }

    /// @param index counted from 0
    record Stage(int index, Instruction.From from, List<Instruction> instructions) {
        /// What a person calls it.
        String label() {
            var name = from.stage();
            return name == null ? "stage-" + index : name;
        }
    }
}
