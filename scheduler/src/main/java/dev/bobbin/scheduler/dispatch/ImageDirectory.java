package dev.bobbin.scheduler.dispatch;

import dev.bobbin.image.ArchiveFormat;
import dev.bobbin.image.Credentials;
import dev.bobbin.image.Descriptor;
import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageManifest;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.Platform;
import dev.bobbin.image.PullProgress;
import dev.bobbin.image.store.Document;
import dev.bobbin.image.store.Image;
import dev.bobbin.image.store.ImageStore;
import dev.bobbin.image.store.PrunePolicy;
import dev.bobbin.image.store.Pruned;
import dev.bobbin.image.store.PullPolicy;
import dev.bobbin.image.store.Pushed;
import dev.bobbin.scheduler.tenant.Caller;
import dev.bobbin.scheduler.tenant.Scope;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The images of this host, as callers may see and change them. A caller's own names come before everybody's; another
/// tenant's do not exist. What cannot be done is an [dev.bobbin.image.ImageException].
public final class ImageDirectory {
    private static final String EVERYBODY = "";

    /// Images that one tenant may have on their way at once; many waiting for the same one count each.
    static final int MOST_TRANSFERS = 32;

    private final Transfers transfers = new Transfers(MOST_TRANSFERS);
    private final ImageStore store;

    public ImageDirectory(ImageStore store) {
        this.store = store;
    }

    /// Whose name for an image is made or taken away; everybody's only by an administrator.
    public enum Whose {
        CALLERS,
        EVERYBODYS
    }

    /// All that the caller may use, ordered by name, the built-in one first.
    public List<Image> list(Caller caller) {
        return store.list(owner(caller));
    }

    public Optional<Image> find(ImageReference reference, Caller caller) {
        return store.find(owner(caller), reference);
    }

    /// What an image is made of; nothing for the built-in one.
    public Optional<ImageManifest> manifest(Image image, Caller caller) {
        var reference = image.reference();
        if (reference.isHost()) {
            return Optional.empty();
        }
        return store.manifest(
                        owner(caller),
                        reference.registry(),
                        reference.repository(),
                        image.digest().text())
                .map(document -> ImageManifest.parse(
                        document.bytes(), document.descriptor().mediaType()));
    }

    /// Whether a registry must be asked before a job can run on an image.
    public boolean mustPull(ImageReference reference, PullPolicy policy, Caller caller) {
        if (reference.isHost()) {
            return false;
        }
        return switch (policy) {
            case NEVER -> false;
            case ALWAYS -> true;
            case MISSING ->
                find(reference, caller).filter(image -> image.problem() == null).isEmpty();
        };
    }

    /// Brings an image from its registry. An interrupt ends the waiting, with a `CancellationException`.
    ///
    /// @param platform what it shall run on; this machine if nothing is said
    /// @param credentials whom the registry is shown; if nothing is said, whom this server's files name for an
    ///     administrator, and nobody for others
    public Image pull(
            ImageReference reference,
            PullPolicy policy,
            @Nullable Platform platform,
            @Nullable Credentials credentials,
            Caller caller,
            Whose whose,
            Consumer<PullProgress> progress) {
        var owner = owner(caller, whose);
        var runsOn = platform == null ? Platform.ofThisMachine() : platform;
        return transfers.during(
                caller, () -> store.pull(owner, reference, policy, runsOn, shown(credentials, caller), progress));
    }

    /// Brings an image to the registry of `to`.
    public Pushed push(
            ImageReference from,
            ImageReference to,
            @Nullable Credentials credentials,
            Caller caller,
            Consumer<PullProgress> progress) {
        return transfers.during(
                caller, () -> store.push(owner(caller), from, to, shown(credentials, caller), progress));
    }

    /// Takes the images of an archive, under the names it gives them.
    public List<Image> load(InputStream archive, Caller caller, Whose whose) {
        var owner = owner(caller, whose);
        return transfers.during(caller, () -> store.load(owner, archive));
    }

    /// Writes images to an archive; nothing is written before all of them are found.
    public void save(List<ImageReference> references, ArchiveFormat format, Caller caller, OutputStream out) {
        store.save(owner(caller), references, format, out);
    }

    /// Gives an image that the caller sees another name.
    public Image tag(ImageReference reference, ImageReference name, Caller caller, Whose whose) {
        return store.tag(owner(caller), reference, owner(caller, whose), name);
    }

    /// Forgets a name; whether there was one.
    public boolean remove(ImageReference reference, Caller caller, Whose whose) {
        return store.remove(owner(caller, whose), reference);
    }

    /// Takes away what nobody needs, whosever it is; for administrators.
    public Pruned prune(PrunePolicy policy, Caller caller) {
        requireAdministrator(caller);
        return store.prune(policy);
    }

    /// Takes away what no name of anybody's needs, which nobody can miss.
    public Pruned collect() {
        return store.prune(PrunePolicy.UNREFERENCED);
    }

    /// The manifest that a repository has under a tag or digest.
    ///
    /// @param registry whose repository; nothing if it was not said
    public Optional<Document> manifest(
            @Nullable String registry, String repository, String tagOrDigest, Caller caller) {
        return store.manifest(owner(caller), registry, repository, tagOrDigest);
    }

    /// The tags of a repository, in order; none if there is no such repository.
    public List<String> tags(@Nullable String registry, String repository, Caller caller) {
        return store.tags(owner(caller), registry, repository);
    }

    /// Content that an image of the caller's needs; nothing else exists.
    public Optional<Descriptor> blob(Digest digest, Caller caller) {
        return store.blob(owner(caller), digest);
    }

    /// Content that [#blob] found, from a position on.
    public InputStream open(Descriptor blob, long from) throws IOException {
        return store.open(blob, from);
    }

    /// This server's own credentials, which stand for whoever runs it, serve administrators only.
    private static @Nullable Credentials shown(@Nullable Credentials credentials, Caller caller) {
        return credentials == null && !caller.may(Scope.ADMIN) ? Credentials.ANONYMOUS : credentials;
    }

    private static String owner(Caller caller) {
        return caller.tenant().name();
    }

    private static String owner(Caller caller, Whose whose) {
        return switch (whose) {
            case CALLERS -> owner(caller);
            case EVERYBODYS -> {
                requireAdministrator(caller);
                yield EVERYBODY;
            }
        };
    }

    private static void requireAdministrator(Caller caller) {
        if (!caller.may(Scope.ADMIN)) {
            throw new IllegalArgumentException("only an administrator may do this for everybody");
        }
    }
}
