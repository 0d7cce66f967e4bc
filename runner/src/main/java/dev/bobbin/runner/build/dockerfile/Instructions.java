package dev.bobbin.runner.build.dockerfile;

import dev.bobbin.runner.build.dockerfile.Instruction.Command;
import dev.bobbin.runner.build.dockerfile.Instruction.Pair;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/// Reads [Statement]s as [Instruction]s: which there are, and what each may look like.
final class Instructions {
    private static final List<String> KEYWORDS = List.of(
            "FROM",
            "RUN",
            "CMD",
            "LABEL",
            "EXPOSE",
            "ENV",
            "ADD",
            "COPY",
            "ENTRYPOINT",
            "VOLUME",
            "USER",
            "WORKDIR",
            "ARG",
            "ONBUILD",
            "STOPSIGNAL",
            "HEALTHCHECK",
            "SHELL",
            "MAINTAINER");
    private static final Set<String> NEVER_TRIGGERS = Set.of("ONBUILD", "FROM", "MAINTAINER");
    private static final Set<String> COPY_FLAGS = Set.of("--from", "--chown", "--chmod", "--link", "--parents");
    private static final Set<String> ADD_FLAGS =
            Set.of("--chown", "--chmod", "--link", "--unpack", "--keep-git-dir", "--checksum");

    private Instructions() {}

    static Instruction read(Statement statement) {
        var words = statement.words();
        var keyword = words.next().orElse("").toUpperCase(Locale.ROOT);
        return switch (keyword) {
            case "FROM" -> from(statement, words);
            case "ARG" -> new Instruction.Arg(statement, declared(statement, words));
            case "ENV" -> new Instruction.Env(statement, pairs(statement, "ENV", words));
            case "LABEL" -> new Instruction.Label(statement, pairs(statement, "LABEL", words));
            case "RUN" -> run(statement, words);
            case "COPY" -> copy(statement, words);
            case "ADD" -> add(statement, words);
            case "CMD" -> new Instruction.Cmd(statement, command(statement, "CMD", words));
            case "ENTRYPOINT" -> new Instruction.Entrypoint(statement, command(statement, "ENTRYPOINT", words));
            case "WORKDIR" -> new Instruction.Workdir(statement, rest(statement, "WORKDIR", "a directory", words));
            case "USER" -> new Instruction.User(statement, single(statement, "USER", "a user", words));
            case "EXPOSE" -> new Instruction.Expose(statement, list(statement, "EXPOSE", "a port", words));
            case "VOLUME" -> new Instruction.Volume(statement, arrayOrList(statement, words));
            case "STOPSIGNAL" ->
                new Instruction.StopSignal(statement, single(statement, "STOPSIGNAL", "a signal", words));
            case "SHELL" -> new Instruction.Shell(statement, shell(statement, words));
            case "HEALTHCHECK" -> new Instruction.Healthcheck(statement, HealthcheckJson.read(statement, words));
            case "ONBUILD" -> onBuild(statement, words);
            case "MAINTAINER" -> new Instruction.Maintainer(statement, rest(statement, "MAINTAINER", "a name", words));
            default -> throw statement.refuse("there is no instruction " + keyword + alike(keyword));
        };
    }

    private static Instruction from(Statement statement, WordReader words) {
        var flags = Flags.take(statement, "FROM", words, Set.of("--platform"), Set.of());
        var all = words.all();
        var named = all.size() == 3 && all.get(1).equalsIgnoreCase("AS");
        if (all.size() != 1 && !named) {
            throw statement.refuse("FROM is written FROM image, or FROM image AS stage");
        }
        var stage = named ? all.get(2).toLowerCase(Locale.ROOT) : null;
        if (stage != null && !stage.matches("[a-z][a-z0-9_.-]*")) {
            throw statement.refuse("the stage name " + all.get(2)
                    + " begins with a letter and has only letters, digits and _ . - after it");
        }
        return new Instruction.From(
                statement, all.getFirst(), stage, flags.value("--platform").orElse(null));
    }

    private static List<Pair> declared(Statement statement, WordReader words) {
        var declared = new ArrayList<Pair>();
        for (var word : words.all()) {
            var equals = word.indexOf('=');
            var name = equals < 0 ? word : word.substring(0, equals);
            require(statement, !name.isEmpty(), "ARG needs a name before the =");
            declared.add(new Pair(name, equals < 0 ? null : word.substring(equals + 1)));
        }
        require(statement, !declared.isEmpty(), "ARG needs a name: ARG VERSION, or ARG VERSION=1");
        return declared;
    }

    /// `NAME=value …`, or one name and all the rest as its value.
    private static List<Pair> pairs(Statement statement, String keyword, WordReader words) {
        var first = words.next().orElse("");
        if (!first.isEmpty() && first.indexOf('=') < 0) {
            var value = words.rest();
            require(statement, !value.isEmpty(), keyword + " needs a value: " + keyword + " " + first + "=value");
            return List.of(new Pair(first, value));
        }
        var pairs = new ArrayList<Pair>();
        for (var word = Optional.of(first); word.isPresent(); word = words.next()) {
            var equals = word.get().indexOf('=');
            require(
                    statement,
                    equals > 0,
                    keyword + " is written " + keyword + " name=value …; \"" + word.get() + "\" has no "
                            + (equals == 0 ? "name" : "=, quote a value that has spaces"));
            pairs.add(new Pair(word.get().substring(0, equals), word.get().substring(equals + 1)));
        }
        return pairs;
    }

    private static Instruction run(Statement statement, WordReader words) {
        var flags =
                Flags.take(statement, "RUN", words, Set.of("--network", "--security", "--device"), Set.of("--mount"));
        flags.value("--security").filter(Predicate.not("sandbox"::equals)).ifPresent(value -> {
            throw statement.refuse("--security=" + value + " is not given; builds keep their sandbox");
        });
        require(statement, flags.values("--device").isEmpty(), "--device is not supported; builds see no devices");
        return new Instruction.Run(
                statement,
                command(statement, "RUN", words),
                flags.values("--mount"),
                flags.value("--network").orElse(null));
    }

    private static Instruction copy(Statement statement, WordReader words) {
        return copied(statement, "COPY", words, Flags.take(statement, "COPY", words, COPY_FLAGS, Set.of("--exclude")));
    }

    private static Instruction add(Statement statement, WordReader words) {
        var flags = Flags.take(statement, "ADD", words, ADD_FLAGS, Set.of("--exclude"));
        require(
                statement,
                !flags.isOn("--keep-git-dir", false)
                        && flags.value("--checksum").isEmpty(),
                "--keep-git-dir and --checksum are for remote sources, which ADD does not fetch here; fetch it in a RUN");
        return copied(statement, "ADD", words, flags);
    }

    private static Instruction copied(Statement statement, String keyword, WordReader words, Flags flags) {
        var form = keyword + " source … destination";
        var all = new ArrayList<>(array(statement, words.rest()).orElseGet(words::all));
        require(statement, all.size() >= 2, keyword + " needs a source and a destination: " + form);
        var destination = all.removeLast();
        statement.heredocs().forEach(heredoc -> all.remove(heredoc.word()));
        return new Instruction.Copy(
                statement,
                List.copyOf(all),
                statement.heredocs(),
                destination,
                keyword.equals("ADD") && flags.isOn("--unpack", true),
                flags.value("--from").orElse(null),
                flags.value("--chown").orElse(null),
                flags.value("--chmod").orElse(null),
                flags.values("--exclude"),
                flags.isOn("--link", false),
                flags.isOn("--parents", false));
    }

    /// A JSON array is a program and its arguments, all else a text for a shell.
    static Command command(Statement statement, String keyword, WordReader words) {
        var rest = words.rest();
        require(statement, !rest.isEmpty(), keyword + " needs a command");
        return array(statement, rest)
                .map(array -> new Command(false, array))
                .orElseGet(() -> new Command(true, List.of(rest)));
    }

    private static List<String> shell(Statement statement, WordReader words) {
        var array = array(statement, words.rest()).orElse(List.of());
        require(statement, !array.isEmpty(), "SHELL is written as an array: SHELL [\"/bin/bash\", \"-c\"]");
        return array;
    }

    private static List<String> arrayOrList(Statement statement, WordReader words) {
        var paths = array(statement, words.rest()).orElseGet(() -> list(statement, "VOLUME", "a directory", words));
        require(statement, !paths.isEmpty() && !paths.contains(""), "VOLUME needs a directory");
        return paths;
    }

    private static Optional<List<String>> array(Statement statement, String text) {
        try {
            return StringArray.read(text);
        } catch (IllegalArgumentException e) {
            throw statement.refuse(String.valueOf(e.getMessage()));
        }
    }

    private static Instruction onBuild(Statement statement, WordReader words) {
        var trigger = words.rest();
        var keyword = words.next().orElse("").toUpperCase(Locale.ROOT);
        require(statement, !keyword.isEmpty(), "ONBUILD needs an instruction");
        require(statement, !NEVER_TRIGGERS.contains(keyword), keyword + " cannot stand after ONBUILD");
        require(
                statement,
                statement.heredocs().isEmpty(),
                "a heredoc cannot stand after ONBUILD; an image has no place to keep it");
        // its form is wrong now, not only when somebody builds on the image
        read(new Statement(statement.line(), trigger, List.of(), statement.escape()));
        return new Instruction.OnBuild(statement, trigger);
    }

    private static List<String> list(Statement statement, String keyword, String what, WordReader words) {
        var all = words.all();
        require(statement, !all.isEmpty(), keyword + " needs " + what);
        return all;
    }

    private static String single(Statement statement, String keyword, String what, WordReader words) {
        var all = list(statement, keyword, what, words);
        require(statement, all.size() == 1, keyword + " needs exactly " + what);
        return all.getFirst();
    }

    private static String rest(Statement statement, String keyword, String what, WordReader words) {
        var rest = words.rest();
        require(statement, !rest.isEmpty(), keyword + " needs " + what);
        return rest;
    }

    private static void require(Statement statement, boolean holds, String otherwise) {
        if (!holds) {
            throw statement.refuse(otherwise);
        }
    }

    /// What was perhaps meant.
    private static String alike(String keyword) {
        return KEYWORDS.stream()
                .filter(known -> distance(known, keyword) <= Math.min(2, known.length() / 2))
                .findFirst()
                .map(known -> "; did you mean " + known + "?")
                .orElse("");
    }

    /// How many characters must be changed, added or removed, at most 9.
    private static int distance(String left, String right) {
        if (Math.abs(left.length() - right.length()) > 2) {
            return 9;
        }
        var row = new int[right.length() + 1];
        for (var j = 0; j <= right.length(); j++) {
            row[j] = j;
        }
        for (var i = 1; i <= left.length(); i++) {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.length(); j++) {
                var above = row[j];
                var same = left.charAt(i - 1) == right.charAt(j - 1);
                row[j] = Math.min(diagonal + (same ? 0 : 1), Math.min(above, row[j - 1]) + 1);
                diagonal = above;
            }
        }
        return row[right.length()];
    }
}
