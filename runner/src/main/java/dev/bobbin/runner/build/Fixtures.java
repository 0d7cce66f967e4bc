package dev.bobbin.runner.build;

import dev.bobbin.runner.kernel.RawPath;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/// Files that are made for one command and seen by it alone: secrets, scripts, parts of the context and of other
/// stages. They are never part of a layer. Closing this removes what nobody took.
final class Fixtures implements AutoCloseable {
    /// What any file takes, whatever it holds.
    private static final int LEAST_BYTES = 512;

    private final Path scratch;
    private final Map<String, byte[]> secrets;
    private final long diskBytes;
    private final List<Commands.Fixture> made = new ArrayList<>();
    private final Map<String, String> variables = new LinkedHashMap<>();
    private final byte[] buffer = new byte[64 << 10];
    private long copied;

    /// @param diskBytes that all files of the context and of other layers may take together
    Fixtures(Path scratch, Map<String, byte[]> secrets, long diskBytes) {
        this.scratch = scratch;
        this.secrets = secrets;
        this.diskBytes = diskBytes;
    }

    List<Commands.Fixture> made() {
        return List.copyOf(made);
    }

    /// Variables that hold secrets.
    Map<String, String> variables() {
        return variables;
    }

    void add(StepMount mount, int line) throws IOException {
        switch (mount) {
            case StepMount.Secret secret -> secret(secret, line);
            case StepMount.Text text ->
                file(text.content().getBytes(StandardCharsets.UTF_8), text.target(), text.mode(), 0, 0);
            case StepMount.Cache _, StepMount.Tmpfs _, StepMount.Bind _ -> {}
        }
    }

    private void secret(StepMount.Secret secret, int line) throws IOException {
        var value = secrets.get(secret.id());
        if (value == null) {
            if (secret.required()) {
                throw new BuildException(
                        BuildException.Problem.RECIPE, line, "the build has no secret \"" + secret.id() + "\"");
            }
            return;
        }
        if (secret.variable() != null) {
            variables.put(secret.variable(), new String(value, StandardCharsets.UTF_8));
        }
        if (!secret.target().isEmpty()) {
            file(value, secret.target(), secret.mode(), secret.uid(), secret.gid());
        }
    }

    private void file(byte[] content, String target, int mode, int uid, int gid) throws IOException {
        var file = fresh();
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        made.add(new Commands.Fixture(file, target, true));
        Files.write(file, content);
        dress(file, mode, uid, gid);
    }

    /// Files of the context or of other layers.
    void bind(StepMount.Bind bind, Step.Copy as, Tree source) throws IOException, InterruptedException {
        var selected = Selection.of(as, source).getFirst().node();
        var place = fresh();
        made.add(new Commands.Fixture(place, bind.target(), !bind.writable()));
        copy(selected, source, place, as.line());
    }

    private void copy(Tree.Node node, Tree source, Path place, int line) throws IOException, InterruptedException {
        count(LEAST_BYTES, line);
        switch (node.kind()) {
            case DIRECTORY -> {
                Files.createDirectory(place);
                for (var name : source.names(node.path())) {
                    var child = source.find(Names.join(node.path(), name)).orElseThrow();
                    copy(child, source, RawPath.resolve(place.toAbsolutePath(), name), line);
                }
                dress(place, node.mode(), node.uid(), node.gid());
            }
            case FILE -> {
                try (var content = source.open(node);
                        var out = Files.newOutputStream(place)) {
                    for (var read = content.read(buffer); read >= 0; read = content.read(buffer)) {
                        count(read, line);
                        out.write(buffer, 0, read);
                    }
                }
                dress(place, node.mode(), node.uid(), node.gid());
            }
            case LINK -> Files.createSymbolicLink(place, Path.of(Names.shown(node.target())));
            case PIPE, DEVICE -> {}
        }
    }

    private void count(long more, int line) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        copied += more;
        if (copied > diskBytes) {
            throw BoundedOutput.full(diskBytes, line);
        }
    }

    private static void dress(Path file, int mode, int uid, int gid) throws IOException {
        Files.setAttribute(file, "unix:uid", uid, LinkOption.NOFOLLOW_LINKS);
        Files.setAttribute(file, "unix:gid", gid, LinkOption.NOFOLLOW_LINKS);
        Files.setAttribute(file, "unix:mode", mode, LinkOption.NOFOLLOW_LINKS);
    }

    private Path fresh() {
        return scratch.resolve("fixture-" + UUID.randomUUID());
    }

    @Override
    public void close() throws IOException {
        Closing.all(made, each -> Scratch.remove(each.content()));
    }
}
