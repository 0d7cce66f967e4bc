package dev.bobbin.runner.build.minibox;

import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageReference;
import dev.bobbin.runner.build.Base;
import dev.bobbin.runner.build.BaseImages;
import dev.bobbin.runner.build.BuildException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// What a file is built on.
///
/// @param base its layers
/// @param config how programs of it are run, all of which the new image inherits that its file says nothing of
record Foundation(Base base, ImageConfig config) {
    private static final ImageConfig NOTHING = new ImageConfig(Map.of(), List.of(), List.of(), "root", "/");
    /// What commands see on a base that names no variables, in an order that is the same in every process.
    private static final SequencedMap<String, String> USUAL = usual();

    private static SequencedMap<String, String> usual() {
        var usual = new LinkedHashMap<String, String>();
        usual.put("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/go/bin");
        usual.put("HOME", "/root");
        return Collections.unmodifiableSequencedMap(usual);
    }

    /// @param line that names the base in its first word
    static Foundation find(Line line, BaseImages images) throws InterruptedException {
        var name = line.first(line.keyword() + " requires an image argument");
        if (name.equals("scratch")) {
            return new Foundation(new Base.Scratch(), NOTHING);
        }
        try {
            var image = images.resolve(new ImageReference(name));
            return new Foundation(new Base.Image(image.reference()), image.config());
        } catch (BuildException e) {
            throw e.line() > 0 ? e : new BuildException(e.problem(), line.number(), String.valueOf(e.getMessage()), e);
        } catch (IllegalArgumentException e) {
            throw line.refuse("invalid image name " + name + ": " + e.getMessage()
                    + "; an archive has to be loaded before it can be a base");
        }
    }

    /// What commands see.
    ///
    /// @param own variables of the file
    Map<String, String> environment(Map<String, String> own) {
        var environment = new LinkedHashMap<>(config.environment().isEmpty() ? USUAL : config.environment());
        environment.putAll(own);
        return environment;
    }

    /// Of the new image.
    ImageConfig config(Shape shape) {
        var environment = new LinkedHashMap<>(config.environment());
        environment.putAll(shape.environment);
        var labels = new LinkedHashMap<>(config.labels());
        labels.putAll(shape.labels);
        var volumes = new LinkedHashSet<>(config.volumes());
        volumes.addAll(shape.volumes);
        var ports = new LinkedHashSet<>(config.exposedPorts());
        ports.addAll(shape.ports);
        return new ImageConfig(
                environment,
                config.entrypoint(),
                shape.command.isEmpty() ? config.command() : shape.command,
                shape.user == null ? config.user() : shape.user,
                shape.workdir == null ? config.workdir() : shape.workdir,
                config.stopSignal(),
                List.copyOf(volumes),
                List.copyOf(ports),
                labels,
                config.healthcheck(),
                config.shell(),
                List.of(),
                ImageConfig.Origin.HERE);
    }
}
