package dev.bobbin.runner.build.dockerfile;

import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageReference;
import dev.bobbin.runner.build.Base;
import dev.bobbin.runner.build.BaseImage;
import dev.bobbin.runner.build.Block;
import dev.bobbin.runner.build.BuildException;
import dev.bobbin.runner.build.BuildPlan;
import dev.bobbin.runner.build.Recipe;
import dev.bobbin.runner.build.Step;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Compiles Dockerfiles on images that are known by what they say of themselves.
final class Plans {
    static final String PATH = "/usr/local/bin:/usr/bin:/bin";

    private final Map<String, ImageConfig> images = new HashMap<>();
    private final Map<String, String> arguments = new HashMap<>();
    private final List<String> resolved = new ArrayList<>();
    private @Nullable String target;

    Plans() {
        images.put("debian", config(Map.of("PATH", PATH), List.of(), List.of("bash"), "/"));
    }

    static ImageConfig config(
            Map<String, String> environment, List<String> entrypoint, List<String> command, String workdir) {
        return new ImageConfig(environment, entrypoint, command, "root", workdir);
    }

    Plans with(String name, ImageConfig config) {
        images.put(name, config);
        return this;
    }

    Plans argument(String name, String value) {
        arguments.put(name, value);
        return this;
    }

    Plans target(String name) {
        target = name;
        return this;
    }

    /// Images that were asked for.
    List<String> resolved() {
        return resolved;
    }

    BuildPlan of(String text) {
        try {
            return new DockerfileLanguage().compile(new Recipe("Dockerfile", text, target, arguments), this::resolve);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private BaseImage resolve(ImageReference reference) {
        resolved.add(reference.text());
        var config = images.get(reference.text());
        if (config == null) {
            throw new BuildException(BuildException.Problem.NO_SUCH_IMAGE, 0, "there is no " + reference);
        }
        return new BaseImage(reference, Digest.sha256(reference.text()), config);
    }

    /// The steps of all blocks, in order.
    static List<Step> steps(BuildPlan plan) {
        return plan.blocks().stream().flatMap(block -> block.steps().stream()).toList();
    }

    static Step.Run run(BuildPlan plan, int index) {
        return steps(plan).stream()
                .filter(Step.Run.class::isInstance)
                .map(Step.Run.class::cast)
                .toList()
                .get(index);
    }

    static Step.Copy copy(BuildPlan plan, int index) {
        return steps(plan).stream()
                .filter(Step.Copy.class::isInstance)
                .map(Step.Copy.class::cast)
                .toList()
                .get(index);
    }

    /// The titles of what the result stands on, the lowest first.
    static List<String> stack(BuildPlan plan) {
        var blocks = new HashMap<String, Block>();
        plan.blocks().forEach(block -> blocks.put(block.name(), block));
        var titles = new ArrayList<String>();
        var at = plan.result();
        while (at instanceof Base.Result(var name)) {
            var block = Objects.requireNonNull(blocks.get(name));
            titles.addFirst(block.title());
            at = block.base();
        }
        titles.addFirst(at.toString());
        return titles;
    }
}
