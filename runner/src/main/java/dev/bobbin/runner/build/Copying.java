package dev.bobbin.runner.build;

import dev.bobbin.image.Identity;
import dev.bobbin.runner.build.pattern.IgnoreRules;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;

/// Carries out the steps that only put files somewhere.
final class Copying implements AutoCloseable {
    private final StagedFiles staged;
    private final Function<String, Optional<Identity>> users;
    private final Path scratch;
    private final long mostBytes;
    private final HeldFiles held;
    private final List<BuildContext> unpacked = new ArrayList<>();

    /// @param users who a name is in the root
    /// @param scratch a directory for what an archive holds
    /// @param mostBytes of all archives together
    /// @param held of what archives hold
    Copying(
            StagedFiles staged,
            Function<String, Optional<Identity>> users,
            Path scratch,
            long mostBytes,
            HeldFiles held) {
        this.staged = staged;
        this.users = users;
        this.scratch = scratch;
        this.mostBytes = mostBytes;
        this.held = held;
    }

    void file(Step.InlineFile step) throws IOException {
        var path = Names.plain(Names.raw(step.path()));
        var dress = new StagedFiles.Dress(owner(step.owner(), step.line()), step.mode());
        var directory = staged.directory(Names.parent(path), parents(dress));
        staged.put(directory, Names.last(path), step.bytes(), dress);
    }

    void directory(Step.MakeDirectory step) throws IOException {
        var dress = new StagedFiles.Dress(owner(step.owner(), step.line()), step.mode());
        staged.directory(Names.raw(step.path()), dress);
    }

    /// Copies what was selected.
    void copy(Step.Copy step, Tree source, List<Selection> selected) throws IOException {
        var owner = owner(step.owner(), step.line());
        if (owner == null && step.source() instanceof Source.Context) {
            owner = StagedFiles.Owner.ROOT;
        }
        var dress = new StagedFiles.Dress(owner, step.mode());
        var excludes = IgnoreRules.of(step.excludes());
        var destination = Names.raw(step.destination());
        var many = selected.size() > 1 || destination.endsWith("/") || destination.isEmpty();
        for (var each : selected) {
            if (excludes.ignores(Names.shown(each.name())) && !each.node().isDirectory()) {
                continue;
            }
            if (step.unpack() && each.node().kind() == Tree.Kind.FILE && unpack(destination, source, each, step)) {
                continue;
            }
            one(step, destination, many, source, each, excludes, dress);
        }
    }

    private void one(
            Step.Copy step,
            String destination,
            boolean many,
            Tree source,
            Selection each,
            IgnoreRules excludes,
            StagedFiles.Dress dress)
            throws IOException {
        var into = step.parents() ? Names.join(destination, Names.parent(each.name())) : destination;
        if (each.node().isDirectory()) {
            var below = step.parents() ? Names.join(into, Names.last(each.name())) : into;
            var made = staged.directory(below, parents(dress));
            staged.putAll(made, source, each.node().path(), excludes, dress);
            return;
        }
        var there = many || step.parents() ? Optional.of("") : staged.existingDirectory(destination);
        if (there.isPresent()) {
            var directory = staged.directory(into, parents(dress));
            staged.put(directory, Names.last(each.name()), source, each.node(), dress);
        } else {
            var plain = Names.plain(destination);
            var directory = staged.directory(Names.parent(plain), parents(dress));
            staged.put(directory, Names.last(plain), source, each.node(), dress);
        }
    }

    /// Directories that are made on the way have the owner, and the usual mode.
    private static StagedFiles.Dress parents(StagedFiles.Dress dress) {
        return new StagedFiles.Dress(dress.owner(), null);
    }

    /// Whether it was an archive.
    private boolean unpack(String destination, Tree source, Selection each, Step.Copy step) throws IOException {
        try (var content = source.open(each.node())) {
            if (!isArchive(content.readNBytes(512), () -> source.open(each.node()), step)) {
                return false;
            }
        }
        try (var content = source.open(each.node())) {
            var taken = 0L;
            for (var before : unpacked) {
                taken += before.bytes();
            }
            var files = BuildContext.unpack(content, scratch, mostBytes - taken);
            unpacked.add(files);
            files.countIn(held);
            var dress = new StagedFiles.Dress(owner(step.owner(), step.line()), step.mode());
            var made = staged.directory(destination, parents(dress));
            staged.putAll(made, files, "", IgnoreRules.of(List.of()), dress);
            return true;
        }
    }

    private interface Again {
        InputStream open() throws IOException;
    }

    private static boolean isArchive(byte[] head, Again again, Step.Copy step) throws IOException {
        if (isTar(head)) {
            return true;
        }
        if (begins(head, 0x1f, 0x8b)) {
            try (var plain = new GZIPInputStream(again.open())) {
                return isTar(plain.readNBytes(512));
            } catch (ZipException _) {
                return false;
            }
        }
        if (begins(head, 'B', 'Z', 'h') || begins(head, 0xfd, '7', 'z', 'X', 'Z')) {
            throw new BuildException(
                    BuildException.Problem.STEP,
                    step.line(),
                    "archives compressed with bzip2 or xz are not unpacked; use gzip or zstd, or RUN tar");
        }
        return begins(head, 0x28, 0xb5, 0x2f, 0xfd);
    }

    private static boolean isTar(byte[] head) {
        return head.length == 512 && Arrays.equals(head, 257, 262, "ustar".getBytes(StandardCharsets.US_ASCII), 0, 5);
    }

    private static boolean begins(byte[] head, int... magic) {
        for (var index = 0; index < magic.length; index++) {
            if (head.length <= index || (head[index] & 0xff) != magic[index]) {
                return false;
            }
        }
        return true;
    }

    /// Lets go of archives, once the layer is written.
    @Override
    public void close() throws IOException {
        Closing.all(unpacked, BuildContext::close);
    }

    /// A user without a group has the group of the same number, as everywhere in build files.
    private StagedFiles.@Nullable Owner owner(@Nullable String owner, int line) {
        if (owner == null) {
            return null;
        }
        var identity = users.apply(owner)
                .orElseThrow(() -> new BuildException(
                        BuildException.Problem.STEP, line, "there is no user or group \"" + owner + "\""));
        return new StagedFiles.Owner(identity.uid(), owner.indexOf(':') < 0 ? identity.uid() : identity.gid());
    }
}
