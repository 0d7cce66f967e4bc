package dev.bobbin.image.registry;

import dev.bobbin.image.BlobSource;
import dev.bobbin.image.Credentials;
import dev.bobbin.image.Descriptor;
import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageIndex;
import dev.bobbin.image.ImageManifest;
import dev.bobbin.image.ImageProblem;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.MediaTypes;
import dev.bobbin.image.Platform;
import dev.bobbin.image.PullProgress;
import dev.bobbin.image.registry.Resolved.Document;
import dev.bobbin.image.registry.login.CredentialFiles;
import dev.bobbin.image.registry.login.Tokens;
import dev.bobbin.image.registry.wire.AddressKind;
import dev.bobbin.image.registry.wire.AddressPolicy;
import dev.bobbin.image.registry.wire.Names;
import dev.bobbin.image.registry.wire.Network;
import dev.bobbin.image.registry.wire.Referrals;
import dev.bobbin.image.registry.wire.Wire;
import dev.bobbin.image.registry.wire.WireConfig;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// All registries, as a puller and pusher of images sees them. Blocking, for virtual threads; safe for use by many.
///
/// Credentials that are null are looked for in the configured files; [Credentials#ANONYMOUS] keeps even those out.
/// Failures are an [ImageException]; a thread that was interrupted gets a `CancellationException`.
public final class Registries implements AutoCloseable {
    private static final int MOST_UPSTREAMS = 256;
    private static final int LONGEST_CONFIG = 8 << 20;
    private static final Duration ANSWER = Duration.ofSeconds(30);
    private static final Duration IDLE = Duration.ofSeconds(15);
    private static final Duration DAY = Duration.ofDays(1);

    private final RegistryConfig config;
    private final Wire wire;
    private final Referrals referrals;
    private final Tokens tokens;
    private final CredentialFiles files;
    private final AddressPolicy policy;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Map<String, Upstream> upstreams = new LinkedHashMap<>(16, 0.75f, true);

    public Registries(RegistryConfig config) {
        this(config, Names.system(), policy(config));
    }

    /// For tests, which have loopback addresses only and must look as if there were others.
    Registries(RegistryConfig config, Names names, AddressPolicy policy) {
        this.config = config;
        this.policy = policy;
        var patience = config.patience();
        this.wire = new Wire(
                new WireConfig(patience.answer(), ANSWER, patience.stall(), IDLE, config.authorities()), names);
        this.referrals = new Referrals(config.insecure());
        this.tokens = new Tokens(wire, referrals, config.credentials().tokenHosts());
        this.files = new CredentialFiles(
                config.credentials().files(), config.credentials().programs());
    }

    private static AddressPolicy policy(RegistryConfig config) {
        var innermost = config.reach().privateRegistries() ? AddressKind.LOOPBACK : AddressKind.PUBLIC;
        return AddressPolicy.upTo(
                innermost,
                config.reach().networks().stream().map(Network::parse).toList());
    }

    /// What `reference` means now, for programs that run on `platform`.
    ///
    /// @throws ImageException NOT_FOUND, UNAUTHORIZED, INVALID, UNSUPPORTED; UNAVAILABLE if none answers in time
    public Resolved resolve(ImageReference reference, Platform platform, @Nullable Credentials credentials) {
        return resolve(reference, platform, credentials, _ -> Optional.empty());
    }

    /// The same, without asking for a configuration that is here already.
    ///
    /// @param here the content of a blob, if it is here
    public Resolved resolve(
            ImageReference reference,
            Platform platform,
            @Nullable Credentials credentials,
            Function<Descriptor, Optional<byte[]>> here) {
        var candidates = candidates(reference, credentials);
        var share = config.patience().answer().dividedBy(candidates.size());
        return first(candidates, repository -> {
            repository.upstream().requireThere();
            return resolve(repository, reference, platform, here, new Retry(config.patience(), closed, share));
        });
    }

    private Resolved resolve(
            Repository repository,
            ImageReference reference,
            Platform platform,
            Function<Descriptor, Optional<byte[]>> here,
            Retry retry) {
        var digest = reference.digest();
        var found = digest.isPresent()
                ? Manifests.byDigest(repository, digest.get(), retry)
                : Manifests.byTag(repository, reference.tag().orElseThrow(), retry);
        var type = found.descriptor().mediaType();
        var index = MediaTypes.isIndex(type) ? found : null;
        var manifest = index == null ? found : choose(repository, index, platform, retry);
        var content =
                ImageManifest.parse(manifest.bytes(), manifest.descriptor().mediaType());
        var settings = here.apply(content.config())
                .map(bytes -> new Document(content.config(), bytes))
                .orElseGet(() -> config(repository, content, retry));
        var parsed = ImageConfig.parse(settings.bytes());
        if (parsed.origin().diffIds().size() != content.layers().size()) {
            throw ImageException.invalid("image " + manifest.descriptor().digest() + " has "
                    + content.layers().size() + " layers, and its configuration says "
                    + parsed.origin().diffIds().size());
        }
        return new Resolved(index, manifest, content, settings, parsed);
    }

    private static Document choose(Repository repository, Document index, Platform platform, Retry retry) {
        var all = ImageIndex.parse(index.bytes(), index.descriptor().mediaType());
        var chosen = all.select(platform)
                .orElseThrow(() -> new ImageException(
                        ImageProblem.NOT_FOUND,
                        "the image is not made for " + platform + ", only for "
                                + all.manifests().stream()
                                        .map(Descriptor::platform)
                                        .map(String::valueOf)
                                        .collect(Collectors.joining(", "))));
        return Manifests.described(repository, chosen, retry);
    }

    private Document config(Repository repository, ImageManifest content, Retry retry) {
        var descriptor = content.config();
        if (descriptor.size() > LONGEST_CONFIG) {
            throw ImageException.invalid("configuration " + descriptor.digest() + " has " + descriptor.size()
                    + " bytes, more than " + LONGEST_CONFIG);
        }
        try (var in = blob(List.of(repository), descriptor, InputStream.nullInputStream(), 0, retry)) {
            return new Document(descriptor, in.readAllBytes());
        } catch (IOException e) {
            throw repository.upstream().gone(e);
        }
    }

    /// The bytes of a blob, from the registry of `reference` or a mirror. They are of exactly the size and digest of
    /// `descriptor` once all of them were read; otherwise reading fails with INVALID. A connection that breaks is
    /// resumed in between.
    ///
    /// @throws ImageException at once if nobody has it
    public InputStream blob(ImageReference reference, Descriptor descriptor, @Nullable Credentials credentials) {
        try {
            return resume(reference, descriptor, InputStream.nullInputStream(), 0, credentials);
        } catch (IOException e) {
            throw new IllegalStateException("nothing is read from nothing", e);
        }
    }

    /// The rest of a blob of which a part is here.
    ///
    /// @param start the part that is here; read, so that the digest covers it, and not given again
    /// @param from how many bytes that is
    public InputStream resume(
            ImageReference reference,
            Descriptor descriptor,
            InputStream start,
            long from,
            @Nullable Credentials credentials)
            throws IOException {
        return blob(
                candidates(reference, credentials), descriptor, start, from, new Retry(config.patience(), closed, DAY));
    }

    private static InputStream blob(
            List<Repository> repositories, Descriptor descriptor, InputStream start, long from, Retry retry)
            throws IOException {
        if (from < 0 || from > descriptor.size()) {
            throw ImageException.wrongSize(descriptor.digest(), descriptor.size(), Long.toString(from));
        }
        var hasher = descriptor.digest().hasher();
        var buffer = new byte[64 << 10];
        for (var left = from; left > 0; ) {
            var got = start.read(buffer, 0, (int) Math.min(buffer.length, left));
            if (got < 0) {
                throw new IOException("the part of " + descriptor.digest() + " that is here is shorter than was said");
            }
            hasher.update(buffer, 0, got);
            left -= got;
        }
        return new BlobStream(descriptor, from, hasher, new Blobs(repositories, descriptor, retry), retry).begin();
    }

    /// The tags of the repository of `reference`.
    public List<String> tags(ImageReference reference, @Nullable Credentials credentials) {
        return first(candidates(reference, credentials), repository -> {
            repository.upstream().requireThere();
            return new TagList(repository).read(new Retry(config.patience(), closed, ANSWER));
        });
    }

    /// Brings an image to the registry, under the tag or digest of `to`.
    ///
    /// @param manifest its manifest; the bytes as they are
    /// @param blobs its configuration and layers
    /// @param others repositories of the same registry from which blobs may be taken over
    public void push(
            ImageReference to,
            Document manifest,
            BlobSource blobs,
            Set<String> others,
            @Nullable Credentials credentials,
            Consumer<PullProgress> progress) {
        var content =
                ImageManifest.parse(manifest.bytes(), manifest.descriptor().mediaType());
        var digest = to.digest().map(Digest::text);
        if (digest.isPresent()
                && !digest.get().equals(manifest.descriptor().digest().text())) {
            throw ImageException.wrongDigest(
                    to.digest().get(), manifest.descriptor().digest());
        }
        var repository = own(to, credentials);
        repository.upstream().requireThere();
        new Push(repository, others, blobs, progress, () -> new Retry(config.patience(), closed, DAY))
                .send(manifest, content, digest.or(to::tag).orElseThrow());
    }

    /// The mirrors in order, and the registry itself.
    private List<Repository> candidates(ImageReference reference, @Nullable Credentials credentials) {
        var all = new ArrayList<Repository>();
        var registry = reference.registry();
        for (var mirror : config.mirrors().getOrDefault(registry, List.of())) {
            var shown = credentials instanceof Credentials.Anonymous ? credentials : null;
            all.add(at(mirror, reference, registry, shown));
        }
        all.add(own(reference, credentials));
        return all;
    }

    private Repository own(ImageReference reference, @Nullable Credentials credentials) {
        return at(reference.registry(), reference, "", credentials);
    }

    private Repository at(String name, ImageReference reference, String space, @Nullable Credentials credentials) {
        var shown = credentials != null
                ? credentials
                : files.find(name, reference.repository()).orElse(Credentials.ANONYMOUS);
        return new Repository(upstream(name), reference.repository(), space, shown);
    }

    private synchronized Upstream upstream(String name) {
        var found = upstreams.get(name);
        if (found == null) {
            found = new Upstream(name, wire, tokens, referrals, policy, config);
            upstreams.put(name, found);
            if (upstreams.size() > MOST_UPSTREAMS) {
                upstreams.remove(upstreams.keySet().iterator().next());
            }
        }
        return found;
    }

    /// What the first candidate gives that gives anything; the failure of the last, with the others beside it.
    private static <T> T first(List<Repository> candidates, Function<Repository, T> ask) {
        ImageException failure = null;
        for (var candidate : candidates) {
            try {
                return ask.apply(candidate);
            } catch (ImageException e) {
                if (failure != null) {
                    e.addSuppressed(failure);
                }
                failure = e;
            }
        }
        throw failure == null ? new IllegalStateException("every image has a registry") : failure;
    }

    @Override
    public void close() {
        closed.countDown();
        wire.close();
    }
}
