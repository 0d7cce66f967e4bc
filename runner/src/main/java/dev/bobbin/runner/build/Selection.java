package dev.bobbin.runner.build;

import dev.bobbin.runner.build.pattern.PathPattern;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What the patterns of a copy mean in its source.
///
/// @param name as the pattern found it, relative to the source's root
/// @param node what it leads to
record Selection(String name, Tree.Node node) {

    /// Everything that is copied, each once, in the order of the patterns.
    ///
    /// @throws BuildException CONTEXT if something that has to be there is not
    static List<Selection> of(Step.Copy copy, Tree source) throws IOException, InterruptedException {
        var all = new ArrayList<Selection>();
        var seen = new HeldFiles(Long.MAX_VALUE, copy.line());
        for (var pattern : copy.patterns()) {
            var plain = Names.plain(Names.raw(pattern));
            if (isPattern(plain)) {
                matches(plain, "", source, seen).forEach((name, node) -> all.add(new Selection(name, node)));
            } else {
                var found = find(plain, source);
                if (found == null) {
                    throw missing(copy, "\"" + pattern + "\" is not in " + shown(copy.source()));
                }
                all.add(new Selection(plain, found));
            }
        }
        if (all.isEmpty()) {
            throw missing(copy, "nothing in " + shown(copy.source()) + " matches " + String.join(" ", copy.patterns()));
        }
        return all.stream().distinct().toList();
    }

    private static boolean isPattern(String text) {
        return text.chars().anyMatch(each -> each == '*' || each == '?' || each == '[' || each == '\\');
    }

    private static Tree.@Nullable Node find(String path, Tree source) throws IOException {
        var real = source.real(path, true);
        return real.isEmpty() ? null : source.find(real.get()).orElse(null);
    }

    private static TreeMap<String, Tree.Node> matches(String pattern, String beneath, Tree source, HeldFiles seen)
            throws IOException, InterruptedException {
        var found = new TreeMap<String, Tree.Node>();
        var slash = pattern.indexOf('/');
        var first = slash < 0 ? pattern : pattern.substring(0, slash);
        var glob = PathPattern.of(Names.shown(first));
        var real = source.real(beneath, true);
        if (real.isEmpty()) {
            return found;
        }
        for (var name : source.names(real.get())) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            if (!glob.matches(Names.shown(name))) {
                continue;
            }
            var path = Names.join(beneath, name);
            seen.add(path.length());
            if (slash < 0) {
                var node = find(path, source);
                if (node != null) {
                    found.put(path, node);
                }
            } else {
                found.putAll(matches(pattern.substring(slash + 1), path, source, seen));
            }
        }
        return found;
    }

    private static String shown(Source source) {
        return switch (source) {
            case Source.Context _ -> "the context";
            case Source.OwnLayer(var block) -> "block " + block;
            case Source.Stack(var base) -> shown(base);
        };
    }

    private static String shown(Base base) {
        return switch (base) {
            case Base.Result(var block) -> block;
            case Base.Image(var reference) -> "image " + reference;
            case Base.Scratch _ -> "scratch";
        };
    }

    private static BuildException missing(Step.Copy copy, String message) {
        return new BuildException(BuildException.Problem.CONTEXT, copy.line(), "copy: " + message);
    }
}
