package dev.bobbin.runner.build.dockerfile;

import dev.bobbin.runner.build.Source;
import dev.bobbin.runner.build.Step;
import dev.bobbin.runner.build.pattern.PathPattern;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What COPY and ADD do.
final class CopySteps {
    private static final Pattern REMOTE =
            Pattern.compile("(?i)(?:https?|ftp|git|ssh)://.*|git@[^/]+:.*|github\\.com/.*\\.git(?:#.*)?");
    private static final Pattern TO_DIRECTORY = Pattern.compile("(?:.*/)?\\.{0,2}");
    private static final int FILE = 0644;

    private final StageImage image;
    private final Compilation compilation;

    CopySteps(StageImage image, Compilation compilation) {
        this.image = image;
        this.compilation = compilation;
    }

    List<Step> of(Instruction.Copy copy) throws InterruptedException {
        var statement = copy.statement();
        var expansion = image.expansion(statement);
        var destination = destination(copy, expansion);
        var owner = owner(copy, expansion);
        var mode = mode(copy, expansion);
        var steps = new ArrayList<Step>();
        if (!copy.sources().isEmpty()) {
            var patterns = new ArrayList<String>();
            for (var source : copy.sources()) {
                patterns.add(pattern(statement, expansion.word(source), copy.parents()));
            }
            steps.add(new Step.Copy(
                    statement.line(),
                    source(copy),
                    patterns,
                    excludes(copy, expansion),
                    destination,
                    owner,
                    mode,
                    copy.unpack(),
                    copy.parents(),
                    copy.link()));
        }
        for (var file : copy.files()) {
            steps.add(new Step.InlineFile(
                    statement.line(),
                    destination.endsWith("/") ? destination + fileName(statement, file) : destination,
                    file.expands() ? expansion.text(file.stripped()) : file.stripped(),
                    owner,
                    mode == null ? FILE : mode));
        }
        return steps;
    }

    private Source source(Instruction.Copy copy) throws InterruptedException {
        var from = copy.from();
        return from == null
                ? new Source.Context()
                : new Source.Stack(compilation.named(copy.statement(), from, image.stage()));
    }

    private String destination(Instruction.Copy copy, Expansion expansion) {
        var statement = copy.statement();
        var word = expansion.word(copy.destination());
        if (word.isEmpty()) {
            throw statement.refuse("the destination " + copy.destination() + " is empty");
        }
        var directory = TO_DIRECTORY.matcher(word).matches();
        if (!directory && copy.sources().size() + copy.files().size() > 1) {
            throw statement.refuse("several sources go into a directory; end its name with a /: " + word + "/");
        }
        var path = image.settings().resolve(word);
        return directory && !path.equals("/") ? path + "/" : path;
    }

    private @Nullable String owner(Instruction.Copy copy, Expansion expansion) {
        var owner = copy.owner();
        if (owner == null) {
            return null;
        }
        var word = expansion.word(owner);
        if (word.isEmpty() || word.startsWith(":")) {
            throw copy.statement().refuse("--chown names a user, and perhaps a group: --chown=user:group");
        }
        return word;
    }

    private @Nullable Integer mode(Instruction.Copy copy, Expansion expansion) {
        var mode = copy.mode();
        return mode == null ? null : Modes.octal(copy.statement(), "--chmod", expansion.word(mode));
    }

    /// The pattern beneath the source's root, plain.
    ///
    /// @param parents whether a `.` in it marks where the kept directories begin
    private static String pattern(Statement statement, String word, boolean parents) {
        if (REMOTE.matcher(word).matches()) {
            throw statement.refuse(word + " is not fetched here; put the file into the context, or fetch it in a RUN"
                    + " that has a network");
        }
        var parts = new ArrayList<String>();
        for (var part : word.split("/", -1)) {
            if (part.equals("..")) {
                if (parts.isEmpty()) {
                    throw statement.refuse(word + " lies outside what is copied from; build with a directory above");
                }
                parts.removeLast();
            } else if (!part.isEmpty() && (!part.equals(".") || (parents && !parts.isEmpty()))) {
                parts.add(part);
            }
        }
        var pattern = String.join("/", parts);
        check(statement, pattern);
        return pattern;
    }

    /// Refuses a pattern that has no meaning, before anything is built for it.
    private static void check(Statement statement, String pattern) {
        try {
            PathPattern.of(pattern);
        } catch (IllegalArgumentException e) {
            throw statement.refuse(String.valueOf(e.getMessage()));
        }
    }

    private static List<String> excludes(Instruction.Copy copy, Expansion expansion) {
        var excludes = copy.excludes().stream().map(expansion::word).toList();
        excludes.forEach(pattern -> check(copy.statement(), pattern));
        return excludes;
    }

    private static String fileName(Statement statement, Heredoc file) {
        if (file.name().indexOf('/') >= 0
                || file.name().equals(".")
                || file.name().equals("..")) {
            throw statement.refuse("a heredoc that goes into a directory is a file's name, not " + file.name());
        }
        return file.name();
    }
}
