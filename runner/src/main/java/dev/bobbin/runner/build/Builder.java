package dev.bobbin.runner.build;

import dev.bobbin.image.ImageException;
import dev.bobbin.image.store.ImageStore;
import dev.bobbin.image.store.Workshop;
import dev.bobbin.runner.BuildEvent;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.function.BiFunction;
import java.util.function.LongConsumer;

/// The door of this package: understands requests to build, and knows the cache. Safe for many threads.
public final class Builder implements AutoCloseable {
    /* Below the directory: `cache/` with what was built before, and `scratch/` with what builds need for a moment; the latter
     * is emptied when a server begins. */

    private static final System.Logger LOG = System.getLogger(Builder.class.getName());

    private final ImageStore images;
    private final Path scratch;
    private final Commands commands;
    private final List<RecipeLanguage> languages;
    private final BiFunction<String, String, RecipeLanguage> choice;
    private final BuildCache cache;
    private final MountedCaches mounted;
    /// Of each tenant, so that nobody's builds wait for those of others.
    private final Map<String, Semaphore> places = new ConcurrentHashMap<>();
    private final BuildConfig config;

    private Builder(
            ImageStore images,
            Path scratch,
            Commands commands,
            List<RecipeLanguage> languages,
            BiFunction<String, String, RecipeLanguage> choice,
            CacheMounts mounts,
            BuildCache cache,
            BuildConfig config) {
        this.images = images;
        this.scratch = scratch;
        this.commands = commands;
        this.languages = List.copyOf(languages);
        this.choice = choice;
        this.cache = cache;
        this.config = config;
        this.mounted = new MountedCaches(mounts, cache, this::prune);
    }

    /// Opens it in `directory`, which is made if absent.
    ///
    /// @param languages whose files are looked for, in this order, where a request names none
    /// @param choice the language of a file of this name with this text
    public static Builder open(
            Path directory,
            ImageStore images,
            Commands commands,
            CacheMounts mounts,
            List<RecipeLanguage> languages,
            BiFunction<String, String, RecipeLanguage> choice,
            BuildConfig config)
            throws IOException {
        var scratch = directory.resolve("scratch");
        Scratch.remove(scratch);
        Files.createDirectories(
                scratch, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        var cache = BuildCache.open(directory.resolve("cache"), images, mounts);
        return new Builder(images, scratch, commands, languages, choice, mounts, cache, config);
    }

    /// What was built before.
    public BuildCache cache() {
        return cache;
    }

    /// Takes the files of a request as they are given.
    ///
    /// @param memory told what each of them takes of the heap, before it is kept
    /// @throws BuildException CONTEXT if there is what cannot be, TOO_LARGE if it is larger than may be
    public BuildContext receive(BuildContext.Origin origin, LongConsumer memory) throws IOException {
        return BuildContext.of(origin, scratch, config.contextBytes(), memory);
    }

    /// Finds and compiles the recipe, and brings the images that it names.
    ///
    /// @param context the build's from now on, closed with it or if this throws
    /// @throws BuildException if it cannot be built
    public PlannedBuild plan(BuildRequest request, BuildContext context, Puller puller)
            throws IOException, InterruptedException {
        var planned = Optional.<PlannedBuild>empty();
        try {
            var found = recipe(request, context);
            var language = choice.apply(found.fileName(), found.text());
            planned = Optional.of(plan(request, found, language, context, puller));
            return planned.get();
        } finally {
            if (planned.isEmpty()) {
                context.close();
            }
        }
    }

    private PlannedBuild plan(
            BuildRequest request, Recipe found, RecipeLanguage language, BuildContext context, Puller puller)
            throws InterruptedException {
        var name = found.fileName().isEmpty() ? language.fileName() : found.fileName();
        var workshop = images.workshop(request.order().tenant());
        try {
            var inContext = request.recipe() == null ? found.fileName() : "";
            var filtered = context.without(language.filter(inContext, context::text));
            var bases = new StoredBases(workshop, puller);
            var plan = language.compile(found, bases);
            return planned(name, request.order(), plan, filtered, workshop, bases, context);
        } catch (BuildException e) {
            workshop.close();
            throw e.in(name);
        } catch (InterruptedException | RuntimeException | Error e) {
            workshop.close();
            throw e;
        }
    }

    private PlannedBuild planned(
            String name,
            BuildOrder order,
            BuildPlan plan,
            BuildContext filtered,
            Workshop workshop,
            StoredBases bases,
            BuildContext context)
            throws InterruptedException {
        var schedule = new Schedule(plan);
        if (plan.result() instanceof Base.Image(var reference)) {
            bases.resolve(reference);
        }
        for (var block : schedule.wanted()) {
            if (block.base() instanceof Base.Image(var reference)) {
                bases.resolve(reference);
            }
        }
        return new PlannedBuild(
                name,
                order,
                plan,
                watcher -> {
                    plan.warnings().forEach(warning -> warn(watcher, name, warning));
                    try {
                        var site = new Site(order, workshop, commands, images.layers(), scratch, watcher);
                        var built = new Build(
                                        plan, schedule, site, filtered, bases, cache, mounted, places(order.tenant()))
                                .run();
                        prune();
                        return built;
                    } catch (ImageException e) {
                        throw new BuildException(BuildException.Problem.HOST, 0, String.valueOf(e.getMessage()), e);
                    }
                },
                List.of(workshop, context));
    }

    private static void warn(BuildWatcher watcher, String recipe, BuildPlan.Warning warning) {
        var text = BuildException.located(recipe, warning.line(), warning.text());
        watcher.happened(new BuildEvent(BuildEvent.Kind.NOTE, "", text, 0));
    }

    private Semaphore places(String tenant) {
        return places.computeIfAbsent(tenant, _ -> new Semaphore(config.parallel(), true));
    }

    /// Not the matter of whoever's build led to it.
    private void prune() {
        try {
            cache.pruneTo(config.cacheBytes(), config.cacheEntries());
        } catch (RuntimeException e) {
            LOG.log(Level.WARNING, "the build cache could not be pruned", e);
        }
    }

    private Recipe recipe(BuildRequest request, BuildContext context) {
        var file = request.file();
        var text = request.recipe();
        if (text != null) {
            return recipe(request, file == null ? "" : file, text);
        }
        if (file != null) {
            return recipe(
                    request,
                    file,
                    context.text(file).orElseThrow(() -> noRecipe("the context has no file \"" + file + "\"")));
        }
        return languages.stream()
                .map(language ->
                        context.text(language.fileName()).map(found -> recipe(request, language.fileName(), found)))
                .flatMap(Optional::stream)
                .findFirst()
                .orElseThrow(() -> noRecipe("the context has none of "
                        + String.join(
                                ", ",
                                languages.stream().map(RecipeLanguage::fileName).toList())));
    }

    private static Recipe recipe(BuildRequest request, String fileName, String text) {
        return new Recipe(fileName, text, request.target(), request.arguments());
    }

    private static BuildException noRecipe(String message) {
        return new BuildException(BuildException.Problem.CONTEXT, 0, message);
    }

    @Override
    public void close() {
        mounted.close();
        cache.close();
    }
}
