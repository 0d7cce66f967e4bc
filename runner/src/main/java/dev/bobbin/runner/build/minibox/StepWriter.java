package dev.bobbin.runner.build.minibox;

import dev.bobbin.runner.build.Source;
import dev.bobbin.runner.build.Step;
import dev.bobbin.runner.build.StepNetwork;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/// Turns lines into steps, one after the other: it knows where a block is by now, and who.
final class StepWriter {
    private static final Pattern MEANINGFUL = Pattern.compile("[\\\\*?\\[]");
    private static final int DIRECTORY = 0755;

    private final Shape shape;
    private final Map<String, String> environment;
    private final List<Step> steps = new ArrayList<>();
    private String workdir;
    private String user;

    /// A writer of the steps of one block.
    ///
    /// @param environment what commands see
    StepWriter(Shape shape, Map<String, String> environment, String workdir, String user) {
        this.shape = shape;
        this.environment = environment;
        this.workdir = workdir;
        this.user = user;
    }

    List<Step> steps() {
        return List.copyOf(steps);
    }

    String workdir() {
        return workdir;
    }

    String user() {
        return user;
    }

    void run(Line line, String script) {
        if (script.isBlank()) {
            shape.warn(line, line.keyword() + " without a command is passed over");
            return;
        }
        steps.add(new Step.Run(
                line.number(),
                List.of("/bin/sh", "-c", script),
                environment,
                Map.of(),
                workdir,
                user,
                List.of(),
                StepNetwork.DEFAULT));
    }

    /// Installs packages with what the base has for it.
    void install(Line line) {
        run(line, Scripts.install(line));
    }

    void enter(Line line) {
        var path = line.words().getFirst();
        workdir = "/" + beneath(line, path.startsWith("/") ? path : workdir + "/" + path, true);
        shape.workdir = workdir;
        steps.add(new Step.MakeDirectory(line.number(), workdir, user.equals("root") ? null : user, DIRECTORY));
    }

    void become(Line line) {
        user = line.words().getFirst();
        shape.user = user;
    }

    /// Copies `source destination`; the destination begins at the root even if it is relative.
    void copy(Line line, Source source, List<String> words) {
        if (words.size() < 2) {
            shape.warn(line, line.keyword() + " needs a source and a destination, and is passed over");
            return;
        }
        if (words.size() > 2) {
            shape.warn(line, line.keyword() + " copies its first argument to its second; the others are passed over");
        }
        var destination = "/" + beneath(line, words.get(1), true);
        var directory = words.get(1).endsWith("/") && !destination.equals("/");
        steps.add(new Step.Copy(
                line.number(),
                source,
                List.of(MEANINGFUL
                        .matcher(beneath(line, words.getFirst(), false))
                        .replaceAll("\\\\$0")),
                directory ? destination + "/" : destination));
    }

    /// `path` without what says nothing.
    ///
    /// @param stays whether `..` stays beneath the root; else leaving it is refused
    private static String beneath(Line line, String path, boolean stays) {
        var parts = new ArrayList<String>();
        for (var part : path.split("/", -1)) {
            if (part.equals("..")) {
                if (!parts.isEmpty()) {
                    parts.removeLast();
                } else if (!stays) {
                    throw line.refuse(path + " lies outside the build context");
                }
            } else if (!part.isEmpty() && !part.equals(".")) {
                parts.add(part);
            }
        }
        return String.join("/", parts);
    }
}
