package dev.bobbin.runner.build.dockerfile;

import dev.bobbin.image.ImageReference;
import dev.bobbin.image.Platform;
import dev.bobbin.runner.build.Base;
import dev.bobbin.runner.build.BaseImages;
import dev.bobbin.runner.build.Block;
import dev.bobbin.runner.build.BuildPlan;
import dev.bobbin.runner.build.Recipe;
import dev.bobbin.runner.build.dockerfile.Dockerfile.Stage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// One Dockerfile on its way to a plan: only the stages that the target stands on are looked at.
final class Compilation {
    private final Dockerfile file;
    private final Recipe recipe;
    private final BaseImages images;
    private final Platform platform = Platform.ofThisMachine();
    /// Arguments of before the first stage, and those that always exist.
    private final Map<String, @Nullable String> globals = new HashMap<>();

    private final Map<Integer, StageImage> done = new HashMap<>();
    private final Set<Integer> underway = new HashSet<>();
    private final Set<String> usedArguments = new HashSet<>();
    private final List<Block> blocks = new ArrayList<>();
    private final List<BuildPlan.Warning> warnings = new ArrayList<>();

    Compilation(Recipe recipe, BaseImages images) {
        this.file = Dockerfile.read(recipe.text());
        this.recipe = recipe;
        this.images = images;
        for (var role : List.of("BUILD", "TARGET")) {
            globals.put(role + "PLATFORM", platform.text());
            globals.put(role + "OS", platform.os());
            globals.put(role + "ARCH", platform.architecture());
            globals.put(role + "VARIANT", platform.variant());
        }
    }

    BuildPlan plan() throws InterruptedException {
        var target = file.target(recipe.target());
        globals.put("TARGETSTAGE", target.label());
        for (var arg : file.globals()) {
            for (var pair : arg.declared()) {
                var expansion = arg.statement().expansion(globals::get);
                globals.put(expansion.word(pair.name()), argument(pair, expansion));
            }
        }
        var image = stage(target, target.from().statement());
        warnUnused(target);
        return new BuildPlan(blocks, image.top(), image.config(), image.history(), warnings);
    }

    /// The image of a stage, made now if it is not yet.
    ///
    /// @param asking what stands on it
    StageImage stage(Stage stage, Statement asking) throws InterruptedException {
        var known = done.get(stage.index());
        if (known != null) {
            return known;
        }
        if (!underway.add(stage.index())) {
            throw asking.refuse("the stage " + stage.label() + " stands on itself");
        }
        var image = new StageImage(this, stage);
        image.make();
        blocks.addAll(image.blocks());
        done.put(stage.index(), image);
        return image;
    }

    /// What `--from=name` or `from=name` means: a stage, or an image.
    Base named(Statement statement, String name, Stage within) throws InterruptedException {
        if (name.indexOf('$') >= 0) {
            throw statement.refuse("from= takes no variables; write FROM " + name + " AS name, and from=name");
        }
        var stage = file.named(name, file.stages().size()).or(() -> file.numbered(name, within.index()));
        if (stage.isPresent()) {
            return stage(stage.get(), statement).top();
        }
        if (name.matches("[0-9]+")) {
            throw statement.refuse("there is no stage " + name + " before this one; the first is 0");
        }
        return name.equals("scratch") ? new Base.Scratch() : new Base.Image(reference(statement, name));
    }

    /// The stage that FROM means, if it is none of the images.
    @Nullable
    Stage before(Stage stage, String name) {
        return file.named(name, stage.index()).orElse(null);
    }

    ImageReference reference(Statement statement, String name) {
        try {
            return new ImageReference(name);
        } catch (IllegalArgumentException e) {
            throw statement.refuse("\"" + name + "\" is no image and no stage: " + e.getMessage());
        }
    }

    /// The value of a declared argument: the request's, else the one that stands there.
    @Nullable
    String argument(Instruction.Pair pair, Expansion expansion) {
        var name = expansion.word(pair.name());
        usedArguments.add(name);
        var given = recipe.arguments().get(name);
        if (given != null) {
            return given;
        }
        var value = pair.value();
        return value == null ? globals.get(name) : expansion.word(value);
    }

    /// Proxies of the request that no ARG declares: seen by commands, and of no influence on what is made.
    Map<String, String> proxies(Set<String> hidden) {
        var proxies = new LinkedHashMap<String, String>();
        for (var name : new TreeSet<>(recipe.arguments().keySet())) {
            if (isProxy(name) && !hidden.contains(name)) {
                proxies.put(name, recipe.arguments().get(name));
            }
        }
        return proxies;
    }

    Map<String, @Nullable String> globals() {
        return globals;
    }

    BaseImages images() {
        return images;
    }

    Platform platform() {
        return platform;
    }

    boolean hasManyStages() {
        return file.stages().size() > 1;
    }

    void warn(Statement statement, String text) {
        warnings.add(new BuildPlan.Warning(statement.line(), text));
    }

    private void warnUnused(Stage target) {
        for (var name : new TreeSet<>(recipe.arguments().keySet())) {
            if (!usedArguments.contains(name) && !isProxy(name) && !globals.containsKey(name)) {
                warnings.add(new BuildPlan.Warning(
                        target.from().statement().line(),
                        "the argument " + name + " was given, and no ARG of what was built declares it"));
            }
        }
    }

    private static boolean isProxy(String name) {
        return name.matches("(?i)(?:http|https|ftp|no|all)_proxy")
                && (name.equals(name.toLowerCase(Locale.ROOT)) || name.equals(name.toUpperCase(Locale.ROOT)));
    }
}
