package dev.bobbin.runner.build;

import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageProblem;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.Layer;
import dev.bobbin.image.store.Workshop;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// The images of the store, and those that are brought into it. Safe for many threads.
final class StoredBases implements BaseImages {
    private final Workshop workshop;
    private final Puller puller;
    private final Map<ImageReference, Workshop.Ground> known = new HashMap<>();

    StoredBases(Workshop workshop, Puller puller) {
        this.workshop = workshop;
        this.puller = puller;
    }

    @Override
    public synchronized BaseImage resolve(ImageReference reference) throws InterruptedException {
        var ground = ground(reference);
        return new BaseImage(reference, ground.digest(), ground.config());
    }

    /// The layers of an image, the lowest first.
    synchronized List<Layer> layers(ImageReference reference) throws InterruptedException {
        return ground(reference).layers();
    }

    private Workshop.Ground ground(ImageReference reference) throws InterruptedException {
        if (!known.containsKey(reference)) {
            known.put(reference, find(reference));
        }
        return Objects.requireNonNull(known.get(reference));
    }

    private Workshop.Ground find(ImageReference reference) throws InterruptedException {
        if (reference.isReserved()) {
            throw new BuildException(
                    BuildException.Problem.RECIPE, 0, "\"host\" is this machine itself, and no image to build on");
        }
        try {
            puller.bring(reference);
            return workshop.ground(reference)
                    .orElseThrow(() -> new BuildException(
                            BuildException.Problem.NO_SUCH_IMAGE, 0, "there is no image \"" + reference + "\""));
        } catch (ImageException e) {
            var problem = e.problem() == ImageProblem.NOT_FOUND
                    ? BuildException.Problem.NO_SUCH_IMAGE
                    : BuildException.Problem.IMAGE_UNAVAILABLE;
            throw new BuildException(problem, 0, "image \"" + reference + "\": " + e.getMessage(), e);
        }
    }
}
