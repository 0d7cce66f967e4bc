package dev.bobbin.image.store;

import dev.bobbin.image.ArchiveFormat;
import dev.bobbin.image.Credentials;
import dev.bobbin.image.Descriptor;
import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageIndex;
import dev.bobbin.image.ImageManifest;
import dev.bobbin.image.ImageProblem;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.Layer;
import dev.bobbin.image.Platform;
import dev.bobbin.image.PullProgress;
import dev.bobbin.image.archive.LayerExtractor;
import dev.bobbin.image.registry.Registries;
import dev.bobbin.image.registry.Resolved;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// The store of images on disk. Safe for use by many threads; one process owns the directory.
///
/// An owner is whose name for an image it is; the empty one is everybody. Look-ups see one's own names first, then
/// everybody's; nobody else's exist. What cannot be done is an [ImageException].
public final class ImageStore implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(ImageStore.class.getName());

    private final FileChannel lock;
    private final Disk disk;
    private final HostLayers hostLayers;
    private final @Nullable HostImage host;
    private final Blobs blobs;
    private final Layers layers;
    private final Index index;
    private final Garbage garbage;
    private final Leases leases;
    private final Newcomers newcomers;
    private final Registries registries;
    private final Pulls pulls;
    private final Commits commits;
    private final Knowledge knowledge;
    private final Pins pins;
    private final Archives archives;
    private final long largestLayer;

    private ImageStore(FileChannel lock, Disk disk, StoreConfig config, MeterRegistry meters) throws IOException {
        this.lock = lock;
        this.disk = disk;
        this.largestLayer = config.extraction().bytes();
        this.hostLayers = new HostLayers(disk);
        this.host = config.hostImage() ? HostImage.open(disk, hostLayers) : null;
        this.blobs = new Blobs(disk);
        this.layers = new Layers(disk);
        this.index = new Index(disk, blobs, layers);
        this.pins = new Pins();
        this.garbage = new Garbage(blobs, layers, index, pins);
        this.leases = new Leases(disk, index, layers, pins, garbage);
        this.knowledge = new Knowledge(index);
        var assembly = new Assembly(blobs, layers, knowledge, config.extraction());
        this.newcomers = new Newcomers(disk, index, layers, assembly, pins);
        this.registries = new Registries(config.registries());
        this.pulls = new Pulls(registries, blobs, newcomers, knowledge, meters);
        this.archives = new Archives(blobs, newcomers, knowledge, pins, config.extraction());
        this.commits = new Commits(blobs, newcomers, knowledge, pins);
        Gauge.builder("bobbin.image.store.bytes", garbage, all -> all.usage().bytes())
                .description("Bytes of images in the store, as they were sent and unpacked")
                .register(meters);
    }

    /// Opens the store below `directory`, which is made if absent.
    ///
    /// @throws IllegalStateException if another process owns it, or a newer Bobbin wrote it
    public static ImageStore open(Path directory, StoreConfig config, MeterRegistry meters) {
        try {
            Files.createDirectories(
                    directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            var lock = own(directory);
            // to ask the kernel takes a fifth of a second, which is what loading JNA takes; nobody waits for it here
            Thread.ofPlatform().daemon().name("fence").start(ImageStore::sayHowUnpackingIsFenced);
            try {
                return new ImageStore(lock, Disk.open(directory), config, meters);
            } catch (IOException | RuntimeException e) {
                lock.close();
                throw e;
            }
        } catch (IOException e) {
            throw new UncheckedIOException("open the image store in " + directory, e);
        }
    }

    private static void sayHowUnpackingIsFenced() {
        if (!fencesUnpacking()) {
            LOG.log(Level.INFO, "layers are unpacked without a second fence: Landlock of Linux 6.2 is missing");
        }
    }

    /// Whether this machine's kernel, too, keeps what is being unpacked inside its directory. Said at each opening if
    /// it does not.
    public static boolean fencesUnpacking() {
        return LayerExtractor.isFenced();
    }

    /// Takes the directory for this process; the kernel lets go of it when the process ends.
    private static FileChannel own(Path directory) throws IOException {
        var channel = FileChannel.open(directory.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            if (channel.tryLock() != null) {
                return channel;
            }
        } catch (OverlappingFileLockException _) {
            // owned by this very process: the answer is the same
        }
        channel.close();
        throw new IllegalStateException(
                directory + " is in use by another Bobbin; stop it or choose another directory");
    }

    /// The directory below which the layers of every [Rootfs] lie.
    public Path layers() {
        return disk.layers();
    }

    /// Directories of this machine that the image `host` shows; empty if it is not offered.
    public List<Path> hostTrees() {
        return host == null ? List.of() : HostImage.trees();
    }

    public Optional<Image> find(String owner, ImageReference reference) {
        if (reference.isHost()) {
            return Optional.ofNullable(host).map(HostImage::image);
        }
        return index.find(owner, reference).map(this::image);
    }

    /// All that this owner may see, `host` first.
    public List<Image> list(String owner) {
        var all = new java.util.ArrayList<Image>();
        if (host != null) {
            all.add(host.image());
        }
        index.visible(owner).forEach(entry -> all.add(image(entry)));
        return List.copyOf(all);
    }

    /// The image that `reference` names, ready to mount, or nothing if the store has none.
    ///
    /// @throws ImageException INVALID if it is damaged and cannot be repaired from what is here
    public Optional<Rootfs> lease(String owner, ImageReference reference) {
        if (reference.isHost()) {
            return Optional.ofNullable(host).map(HostImage::lease);
        }
        for (var found = index.find(owner, reference); found.isPresent(); found = index.find(owner, reference)) {
            var entry = found.get();
            var rootfs = leases.lease(unpacked(entry) ? entry : mended(entry));
            if (rootfs.isPresent()) {
                return rootfs;
            }
        }
        return Optional.empty();
    }

    /// Keeps the layers of jobs that an earlier server started, by the names that its [Rootfs] gave them. To be called
    /// before the first lease.
    public AutoCloseable hold(List<String> layerNames) {
        var ofHost = layerNames.stream()
                .filter(HostLayers::isName)
                .map(hostLayers::lease)
                .flatMap(Optional::stream)
                .toList();
        var others = leases.hold(layerNames);
        return () -> {
            ofHost.forEach(Runnable::run);
            others.close();
        };
    }

    /// Whatever outlived the last server and stands on layers holds them by now: layers of the image `host` that nobody
    /// holds go.
    public void settled() {
        try {
            hostLayers.sweep();
        } catch (IOException e) {
            throw Disk.failure("remove layers of an earlier server", e);
        }
    }

    /// Brings an image from its registry. Many who ask for the same at once wait for one download; who is interrupted
    /// no longer waits, and with the last one the download ends.
    public Image pull(
            String owner,
            ImageReference reference,
            PullPolicy policy,
            @Nullable Credentials credentials,
            Consumer<PullProgress> progress) {
        return pull(owner, reference, policy, Platform.ofThisMachine(), credentials, progress);
    }

    /// The same, of an image for another platform: it can be kept, pushed and saved.
    public Image pull(
            String owner,
            ImageReference reference,
            PullPolicy policy,
            Platform platform,
            @Nullable Credentials credentials,
            Consumer<PullProgress> progress) {
        refuseReserved(reference, "pulled");
        if (policy != PullPolicy.ALWAYS) {
            var here = platform.equals(Platform.ofThisMachine());
            var found = index.find(owner, reference)
                    .filter(entry -> entry.problem() == null)
                    .filter(entry ->
                            here || platform.matches(entry.config().origin().platform()));
            if (found.isPresent()) {
                return image(found.get());
            }
            if (policy == PullPolicy.NEVER) {
                throw absent(reference);
            }
        }
        return pulls.pull(owner, reference, platform, credentials, progress);
    }

    /// Takes the images of an archive, an OCI layout or what `docker save` writes, under the names it gives them. One
    /// that says no more than a tag is named `loaded:TAG`.
    public List<Image> load(String owner, InputStream archive) {
        return archives.load(owner, archive);
    }

    /// Writes images to an archive that [#load], docker, podman and skopeo read.
    public void save(String owner, List<ImageReference> references, ArchiveFormat format, OutputStream out) {
        references.forEach(reference -> refuseReserved(reference, "saved"));
        archives.save(references.stream().map(one -> require(owner, one)).toList(), format, out);
    }

    /// Brings an image to the registry of `to`.
    ///
    /// @return what was pushed, of how much: one platform's image, though it came from an index of several
    public Pushed push(
            String owner,
            ImageReference from,
            ImageReference to,
            @Nullable Credentials credentials,
            Consumer<PullProgress> progress) {
        refuseReserved(from, "pushed");
        refuseReserved(to, "pushed to");
        var entry = require(owner, from);
        try (var _ = newcomers.expect(entry.parts(), entry.config())) {
            var manifest = new Resolved.Document(
                    entry.manifestDescriptor(), blobs.bytes(entry.manifestDescriptor(), ImageManifest.LONGEST));
            var others = index.visible(owner).stream()
                    .map(Entry::reference)
                    .filter(one -> one.registry().equals(to.registry()))
                    .map(ImageReference::repository)
                    .filter(one -> !one.equals(to.repository()))
                    .collect(Collectors.toSet());
            registries.push(to, manifest, blobs, others, credentials, progress);
            return new Pushed(
                    entry.manifestDescriptor().digest(), entry.config().origin().platform(), platforms(entry));
        }
    }

    /// For how many platforms the image is where it came from, as far as that is known.
    private int platforms(Entry entry) {
        return entry.keptIndex()
                .filter(blobs::has)
                .map(index -> ImageIndex.parse(blobs.bytes(index, ImageManifest.LONGEST), index.mediaType()))
                .map(ImageIndex::platforms)
                .orElse(1);
    }

    /// Makes an image of `base`, or of nothing, and further layers, and gives it a name.
    ///
    /// @param config how its programs are run; its origin is written anew
    /// @param layers uncompressed tar archives, the lowest first; read to their ends and not closed
    public Image commit(
            String owner,
            ImageReference reference,
            @Nullable ImageReference base,
            ImageConfig config,
            List<InputStream> layers) {
        refuseReserved(reference, "made");
        return commits.commit(owner, reference, base == null ? null : require(owner, base), config, layers);
    }

    /// Where `owner` makes images out of layers.
    public Workshop workshop(String owner) {
        return new Workshop(owner, blobs, index, newcomers, knowledge, leases, pins, largestLayer);
    }

    /// Keeps a layer that a [Workshop] made, compressed and as it is unpacked on top of others, whatever names do,
    /// until the result is closed and garbage is collected.
    ///
    /// @param diffIds of the layers that it is stacked on, the lowest first, and its own
    public AutoCloseable keep(Layer layer, List<Digest> diffIds) {
        return leases.keep(layer, diffIds);
    }

    /// Gives an image another name, in place of what had it.
    public Image tag(String owner, ImageReference reference, ImageReference newReference) {
        return tag(owner, reference, owner, newReference);
    }

    /// Gives an image that `owner` sees a name of `newOwner`.
    public Image tag(String owner, ImageReference reference, String newOwner, ImageReference newReference) {
        refuseReserved(reference, "tagged");
        refuseReserved(newReference, "given to another image");
        if (newReference.digest().isPresent()) {
            throw new ImageException(ImageProblem.INVALID, "a digest is no name that can be given: " + newReference);
        }
        while (true) {
            var entry = require(owner, reference);
            try (var _ = newcomers.expect(entry.parts(), entry.config())) {
                if (index.current(entry)) {
                    var named = entry.named(newOwner, newReference);
                    index.put(named);
                    return image(named);
                }
            }
        }
    }

    /// Forgets a name, and with the last one the image. Jobs that run on it go on.
    ///
    /// @return whether the owner had it; everybody's are removed by the empty owner
    public boolean remove(String owner, ImageReference reference) {
        refuseReserved(reference, "removed");
        var entry = index.own(owner, reference);
        if (entry.isEmpty() || !index.remove(entry.get())) {
            return false;
        }
        garbage.collect();
        return true;
    }

    public Pruned prune(PrunePolicy policy) {
        return garbage.prune(policy);
    }

    public StoreUsage usage() {
        return garbage.usage();
    }

    /// The manifest that a repository of this store serves under a tag or digest.
    ///
    /// @param registry whose repository; nothing if it was not said
    /// @throws ImageException NOT_FOUND naming the candidates, if it is not clear whose
    public Optional<Document> manifest(String owner, @Nullable String registry, String repository, String tagOrDigest) {
        var candidates = repositories(owner, registry, repository);
        var hosts = candidates.stream().map(one -> one.reference().registry()).collect(Collectors.toSet());
        if (hosts.size() > 1) {
            throw new ImageException(
                    ImageProblem.NOT_FOUND,
                    repository + " is known from several registries, say ?ns= one of " + String.join(", ", hosts));
        }
        return candidates.stream()
                .sorted(java.util.Comparator.comparing(entry -> entry.owner().isEmpty()))
                .flatMap(entry -> document(entry, tagOrDigest).stream())
                .findFirst()
                .map(found -> new Document(found, blobs.bytes(found, ImageManifest.LONGEST)));
    }

    /// What of an image has this tag or digest; a tag is the manifest's, since an index names what may not be here.
    private static Optional<Descriptor> document(Entry entry, String tagOrDigest) {
        var manifest = entry.manifestDescriptor();
        if (tagOrDigest.equals(manifest.digest().text())
                || entry.reference().tag().equals(Optional.of(tagOrDigest))) {
            return Optional.of(manifest);
        }
        return entry.keptIndex()
                .filter(index -> tagOrDigest.equals(index.digest().text()));
    }

    /// The tags of a repository of this store, in order.
    public List<String> tags(String owner, @Nullable String registry, String repository) {
        return repositories(owner, registry, repository).stream()
                .map(entry -> entry.reference().tag())
                .flatMap(Optional::stream)
                .distinct()
                .sorted()
                .toList();
    }

    /// How to read content that an image needs which this owner may see; its size is in the descriptor.
    public Optional<Descriptor> blob(String owner, Digest digest) {
        return index.visible(owner).stream()
                .flatMap(entry -> entry.parts().stream())
                .filter(part -> part.digest().equals(digest) && blobs.has(part))
                .findFirst();
    }

    /// Content that [#blob] found, from a position on.
    public InputStream open(Descriptor blob, long from) throws IOException {
        return from == 0 ? blobs.open(blob.digest()) : blobs.open(blob.digest(), from);
    }

    @Override
    public void close() {
        pulls.close();
        registries.close();
        disk.close();
        try {
            lock.close();
        } catch (IOException _) {
            // the kernel lets go of it all the same
        }
    }

    private List<Entry> repositories(String owner, @Nullable String registry, String repository) {
        return index.visible(owner).stream()
                .filter(entry ->
                        registry == null || registry.equals(entry.reference().registry()))
                .filter(entry -> serves(entry.reference(), repository))
                .toList();
    }

    /// Whether an image is in the repository of this name: its path as it was written or as Docker Hub understands it,
    /// where `demo` and `library/demo` are the same.
    private static boolean serves(ImageReference reference, String repository) {
        return reference.repository().equals(repository)
                || (reference.registry().equals(ImageReference.DOCKER)
                        && reference.repository().equals("library/" + repository));
    }

    /// Whether jobs can run on it, whatever else is missing.
    private boolean unpacked(Entry entry) {
        return entry.problem() == null
                || (!entry.chains().isEmpty() && entry.chains().stream().allMatch(layers::has));
    }

    /// Unpacks again what a crash took, if its blobs are here.
    private Entry mended(Entry entry) {
        try (var newcomer = newcomers.expect(entry.parts(), entry.config())) {
            if (entry.manifest().layers().isEmpty()) {
                throw ImageException.invalid("image " + entry.reference() + ": " + entry.problem());
            }
            newcomer.assemble(
                    entry.owner(),
                    entry.manifest(),
                    _ -> {
                        throw ImageException.invalid("image " + entry.reference() + ": " + entry.problem());
                    },
                    _ -> {});
            var whole = index.entry(
                    entry.owner(), entry.reference(), entry.manifestDescriptor(), entry.index(), entry.pulledAt());
            if (index.current(entry)) {
                index.put(whole);
            }
            return whole;
        }
    }

    private Image image(Entry entry) {
        return entry.image(index.lastUsed(entry));
    }

    private Entry require(String owner, ImageReference reference) {
        return index.find(owner, reference).orElseThrow(() -> absent(reference));
    }

    private static ImageException absent(ImageReference reference) {
        return new ImageException(ImageProblem.NOT_FOUND, "there is no image \"" + reference + "\" in the store");
    }

    private static void refuseReserved(ImageReference reference, String what) {
        if (Objects.requireNonNull(reference).isReserved()) {
            throw new ImageException(ImageProblem.UNSUPPORTED, "\"host\" is this machine itself; it cannot be " + what);
        }
    }
}
