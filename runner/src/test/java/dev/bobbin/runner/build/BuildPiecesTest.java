package dev.bobbin.runner.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.image.Descriptor;
import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.Layer;
import dev.bobbin.image.TarFile;
import dev.bobbin.image.TestImages;
import dev.bobbin.image.store.TarFiles;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.build.pattern.IgnoreRules;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The parts of the engine that need no sandbox.
class BuildPiecesTest {
    @TempDir
    private Path directory = Path.of("");

    private static Block block(String name, Base base, List<String> needs, Step... steps) {
        return new Block(name, name, 1, base, needs, List.of(), List.of(steps));
    }

    private static BuildPlan plan(String result, Block... blocks) {
        var config = new ImageConfig(Map.of(), List.of(), List.of(), "root", "/");
        return new BuildPlan(List.of(blocks), new Base.Result(result), config, List.of(), List.of());
    }

    private static final Base SCRATCH = new Base.Scratch();

    @Test
    void onlyWhatTheResultStandsOnIsDone() {
        var schedule = new Schedule(plan(
                "c",
                block("a", SCRATCH, List.of()),
                block("unused", SCRATCH, List.of()),
                block("b", SCRATCH, List.of("a")),
                block("c", SCRATCH, List.of("b"))));
        assertThat(schedule.wanted()).extracting(Block::name).containsExactly("a", "b", "c");
        assertThat(schedule.between(schedule.block("c")))
                .extracting(Block::name)
                .containsExactly("a", "b");
    }

    @Test
    void whatIsCopiedFromComesFirst() {
        var copy = new Step.Copy(3, new Source.Stack(new Base.Result("a")), List.of("x"), "/x");
        var schedule = new Schedule(plan("b", block("a", SCRATCH, List.of()), block("b", SCRATCH, List.of(), copy)));
        assertThat(schedule.waitsFor(schedule.block("b"))).containsExactly("a");
    }

    @Test
    void refusesCircles() {
        assertThatThrownBy(() ->
                        new Schedule(plan("a", block("a", SCRATCH, List.of("b")), block("b", SCRATCH, List.of("a")))))
                .isInstanceOf(BuildException.class)
                .hasMessageContaining("circular");
        assertThatThrownBy(() -> new Schedule(plan("a", block("a", SCRATCH, List.of("gone")))))
                .hasMessageContaining("no block \"gone\"");
    }

    @Test
    void layersSayEverythingThatFilesAre() throws Exception {
        var bytes = new ByteArrayOutputStream();
        var tar = new LayerTar(bytes, BuildOrder.USUAL_TIME);
        var deep = "d/" + "long".repeat(60) + "\u00e4\u00ff";
        tar.add(node("d", Tree.Kind.DIRECTORY, 01777, 0, ""), InputStream.nullInputStream());
        tar.add(
                node(deep, Tree.Kind.FILE, 04755, 5, ""),
                new ByteArrayInputStream("hello".getBytes(StandardCharsets.UTF_8)));
        tar.add(node("l", Tree.Kind.LINK, 0777, 0, "t".repeat(150)), InputStream.nullInputStream());
        tar.addHardLink(node("h", Tree.Kind.FILE, 04755, 5, ""), deep);
        tar.finish();
        var seen = new ArrayList<String>();
        TarFiles.read(
                new ByteArrayInputStream(bytes.toByteArray()),
                (file, content) ->
                        seen.add(file.kind() + " " + file.name() + " " + Integer.toOctalString(file.permissions())
                                + " " + file.uid() + " " + file.target() + " " + file.modifiedSeconds() + " "
                                + new String(content.readAllBytes(), StandardCharsets.UTF_8)));
        assertThat(seen)
                .containsExactly(
                        "DIRECTORY d/ 1777 3000000 " + " 315532800 ",
                        "FILE " + deep + " 4755 3000000 " + " 315532800 hello",
                        "SYMBOLIC_LINK l 777 3000000 " + "t".repeat(150) + " 315532800 ",
                        "HARD_LINK h 4755 3000000 " + deep + " 315532800 ");
    }

    private static Tree.Node node(String path, Tree.Kind kind, int mode, long size, String target) {
        return new Tree.Node(path, kind, mode, 3_000_000, 7, size, target, Map.of());
    }

    @Test
    void keysDependOnContentAndNotOnSecrets() throws Exception {
        assertThat(key(layer("a"), Map.of("A", "1"))).isEqualTo(key(layer("a"), Map.of("A", "1")));
        assertThat(key(layer("a"), Map.of("A", "1")))
                .isNotEqualTo(key(layer("b"), Map.of("A", "1")))
                .isNotEqualTo(key(layer("a"), Map.of("A", "2")));
        var copy = new Step.Copy(1, new Source.Context(), List.of("."), "/");
        var first = copied(copy, Map.of("f", "1"));
        assertThat(copied(copy, Map.of("f", "1"))).isEqualTo(first);
        assertThat(copied(copy, Map.of("f", "2"))).isNotEqualTo(first);
        assertThat(copied(copy, Map.of("g", "1"))).isNotEqualTo(first);
    }

    @Test
    void keysKnowWhatALinkLeadsTo() throws Exception {
        var copy = new Step.Copy(
                1,
                new Source.Context(),
                List.of("link.txt"),
                List.of("real.txt"),
                "/x",
                null,
                null,
                false,
                false,
                false);
        assertThat(linked(copy, "1")).isNotEqualTo(linked(copy, "2"));
    }

    private Digest linked(Step.Copy copy, String content) throws Exception {
        var tar = TestImages.tar().file("real.txt", content).link("link.txt", "real.txt");
        try (var context = read(tar.bytes(), 1 << 20)) {
            var key = new Key(BuildOrder.USUAL_TIME, List.of());
            key.files(context, Selection.of(copy, context), IgnoreRules.of(copy.excludes()));
            return key.digest();
        }
    }

    @Test
    void contextsOfAnySizeAreReadAsTheyCame() throws Exception {
        var large = TestImages.noise(7, 100_000);
        var tar = TestImages.tar().file("a", "first").file("b", large, 0644).file("c", "last");
        try (var context = read(tar.bytes(), 1 << 20)) {
            for (var file : Map.of("a", "first".getBytes(StandardCharsets.UTF_8), "b", large)
                    .entrySet()) {
                try (var in = context.open(context.find(file.getKey()).orElseThrow())) {
                    assertThat(in.readAllBytes()).isEqualTo(file.getValue());
                }
            }
            assertThat(context.text("c")).contains("last");
            assertThat(context.bytes()).isEqualTo(100_009);
        }
    }

    private Digest copied(Step.Copy copy, Map<String, String> files) throws Exception {
        try (var context = context(files)) {
            var key = new Key(BuildOrder.USUAL_TIME, List.of());
            key.files(context, Selection.of(copy, context), IgnoreRules.of(List.of()));
            return key.digest();
        }
    }

    private BuildContext read(byte[] tar, long mostBytes) throws IOException {
        return BuildContext.of(
                sink -> TarFiles.read(new ByteArrayInputStream(tar), sink), directory, mostBytes, _ -> {});
    }

    private BuildContext context(Map<String, String> files) throws Exception {
        var tar = TestImages.tar();
        files.forEach(tar::file);
        return read(tar.bytes(), 1 << 20);
    }

    @Test
    void knowsWorkByTheNetworkThatItReallyHas() {
        assertThat(key(layer("a"), Map.of(), Network.NONE))
                .isNotEqualTo(key(layer("a"), Map.of(), Network.Bridge.PLAIN))
                .isNotEqualTo(key(layer("a"), Map.of(), new Network.Host()));
    }

    private static Digest key(Layer below, Map<String, String> env) {
        return key(below, env, Network.NONE);
    }

    private static Digest key(Layer below, Map<String, String> env, Network network) {
        var key = new Key(BuildOrder.USUAL_TIME, List.of(below));
        var step = new Step.Run(
                1, List.of("true"), env, Map.of("P", env.toString()), "/", "root", List.of(), StepNetwork.DEFAULT);
        key.run(step, network);
        return key.digest();
    }

    static Layer layer(String content) {
        var digest = Digest.sha256(content);
        return new Layer(new Descriptor("application/x", digest, 1), digest);
    }

    @Test
    void contextsNeverBecomeFilesOfThisMachine() throws Exception {
        for (var name : List.of("../up", "a/../../up")) {
            assertThatThrownBy(() -> context(Map.of(name, "x"))).hasMessageContaining("climbs");
        }
        var tar = TestImages.tar()
                .link("out", directory.toString())
                .file("out/x", "x")
                .bytes();
        assertThatThrownBy(() -> read(tar, 100)).hasMessageContaining("no directory");
        assertThatThrownBy(() -> read(TestImages.tar().file("f", "12345").bytes(), 4))
                .isInstanceOf(BuildException.class)
                .extracting(e -> ((BuildException) e).problem())
                .isEqualTo(BuildException.Problem.TOO_LARGE);
        try (var left = Files.list(directory)) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void contextsTakeNoMoreThanTheySay() {
        assertThatThrownBy(() -> context(Map.of("a/".repeat(300) + "f", "x"))).hasMessageContaining("256 directories");
        assertThatThrownBy(() -> context(Map.of("n".repeat(4_001), "x"))).hasMessageContaining("4000 bytes");
        var linked = TestImages.tar()
                .file("f", "12345")
                .hardLink("g", "f")
                .hardLink("h", "f")
                .bytes();
        assertThatThrownBy(() -> read(linked, 14)).hasMessageContaining("more than 14 bytes");
    }

    @Test
    void contextsSayWhatTheirNamesTakeOfTheMemory() throws Exception {
        var taken = new AtomicLong();
        var link = new TarFile("d/l", "to", TarFile.Kind.SYMBOLIC_LINK, 0777, 0, 0, 0, 0, null);
        var context = BuildContext.of(
                sink -> sink.file(link, InputStream.nullInputStream()), directory, 100, taken::addAndGet);
        context.close();
        // the directory that nobody named is kept too
        assertThat(taken).hasValue(2 * 512 + "d".length() + "d/l".length() + "to".length());
    }

    @Test
    void aSocketHidesWhatItReplaced() throws Exception {
        var below = Files.createDirectories(directory.resolve("below"));
        Files.createDirectories(below.resolve("d/e"));
        var upper = Files.createDirectory(directory.resolve("upper"));
        for (var name : List.of("d", "new")) {
            try (var socket = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
                socket.bind(UnixDomainSocketAddress.of(upper.resolve(name)));
            }
        }
        assertThat(written(snapshot(upper, below, 1 << 20))).containsExactly(".wh.d");
    }

    @Test
    void aDirectoryIsReadNoFurtherThanItsDiskGoes() throws Exception {
        var upper = Files.createDirectory(directory.resolve("upper"));
        var many = Files.createDirectory(upper.resolve("many"));
        for (var number = 0; number < 9; number++) {
            Files.createFile(many.resolve("f" + number));
        }
        var none = Files.createDirectory(directory.resolve("none"));
        assertThat(written(snapshot(upper, none, 10 * 512))).hasSize(10);
        assertThatThrownBy(() -> written(snapshot(upper, none, 9 * 512)))
                .isInstanceOf(BuildException.class)
                .hasMessageContaining("more than the " + 9 * 512 + " bytes of disk");
    }

    private static Snapshot snapshot(Path upper, Path below, long disk) {
        return new Snapshot(
                List.of(upper), new LayeredTree(List.of(below)), Snapshot.Traces.NONE, new HeldFiles(disk, 1));
    }

    private static List<String> written(Snapshot snapshot) throws Exception {
        var bytes = new ByteArrayOutputStream();
        var tar = new LayerTar(bytes, BuildOrder.USUAL_TIME);
        snapshot.writeTo(tar);
        tar.finish();
        var names = new ArrayList<String>();
        TarFiles.read(new ByteArrayInputStream(bytes.toByteArray()), (file, _) -> names.add(file.name()));
        return names;
    }

    @Test
    void whatIsPutIsBoundedInAllOfABlock() throws Exception {
        var held = new HeldFiles(10 * 512, 7);
        try (var context = context(Map.of("a", "1", "d/b", "2", "d/c", "3"))) {
            var everything = IgnoreRules.of(List.of());
            var first = new StagedFiles(new LayeredTree(List.of()), held);
            var one = first.directory("one", StagedFiles.Dress.OWN);
            first.putAll(one, context, "", everything, StagedFiles.Dress.OWN);
            first.putAll(one, context, "", everything, StagedFiles.Dress.OWN);
            var second = new StagedFiles(new LayeredTree(List.of()), held);
            var two = second.directory("two", StagedFiles.Dress.OWN);
            second.putAll(two, context, "", everything, StagedFiles.Dress.OWN);
            assertThatThrownBy(() -> second.directory("three", StagedFiles.Dress.OWN))
                    .isInstanceOfSatisfying(
                            BuildException.class, e -> assertThat(e.line()).isEqualTo(7))
                    .hasMessageContaining("more than the 5120 bytes of disk");
        }
        var large = new Tree.Node("f", Tree.Kind.LINK, 0777, 0, 0, 0, "t".repeat(64 << 20), Map.of());
        var replacing = new HeldFiles(Long.MAX_VALUE, 7);
        replacing.add(large);
        replacing.forget(large);
        replacing.add(large);
        assertThatThrownBy(() -> replacing.add(large)).hasMessageContaining("bytes of names");
        var names = new HeldFiles(Long.MAX_VALUE, 7);
        names.add(128 << 20);
        assertThatThrownBy(() -> names.add(1)).hasMessageContaining("bytes of names");
    }

    @Test
    void archivesCountWithAllThatTheyHold() throws Exception {
        var inner = TestImages.tar().file("x/y/z", "1").bytes();
        var tar = TestImages.tar().file("a.tar", inner, 0644);
        var step = new Step.Copy(
                1, new Source.Context(), List.of("a.tar"), List.of(), "/u", null, null, true, false, false);
        try (var context = read(tar.bytes(), 1 << 20)) {
            var staged = new StagedFiles(new LayeredTree(List.of()), new HeldFiles(1 << 20, 1));
            try (var copying =
                    new Copying(staged, _ -> Optional.empty(), directory, 1 << 20, new HeldFiles(3 * 512, 1))) {
                assertThatThrownBy(() -> copying.copy(step, context, Selection.of(step, context)))
                        .hasMessageContaining("more than the 1536 bytes of disk");
            }
        }
    }

    @Test
    void namesAreThoseOfOneDirectory() throws Exception {
        var files = Map.of("d", "1", "d-x/f", "2", "d0", "3", "e/d/f", "4", "e/d-/f", "5", "e/d0", "6", "e.f", "7");
        try (var context = context(files)) {
            assertThat(context.names("")).containsExactly("d", "d-x", "d0", "e", "e.f");
            assertThat(context.names("e")).containsExactly("d", "d-", "d0");
            assertThat(context.names("e/d")).containsExactly("f");
            assertThat(context.names("gone")).isEmpty();
        }
    }

    @Test
    void whatAStepIsMadeOfIsFoundOutNoLongerThanSomebodyWaits() throws Exception {
        var copy = new Step.Copy(1, new Source.Context(), List.of("."), "/");
        var pattern = new Step.Copy(1, new Source.Context(), List.of("*"), "/");
        try (var context = context(Map.of("d/f", "1"))) {
            var selected = Selection.of(copy, context);
            var key = new Key(BuildOrder.USUAL_TIME, List.of());
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> key.files(context, selected, IgnoreRules.of(List.of())))
                    .isInstanceOf(InterruptedException.class);
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> Selection.of(pattern, context)).isInstanceOf(InterruptedException.class);
        } finally {
            Thread.interrupted();
        }
    }

    @Test
    void whatCommandsSeeOfTheContextIsBoundedInAllOfAStep() throws Exception {
        var bind = new StepMount.Bind("/c", new Source.Context(), "d", true);
        var scratch = Files.createDirectory(directory.resolve("scratch"));
        try (var context = context(Map.of("d/f", "x".repeat(1000)))) {
            try (var fixtures = new Fixtures(scratch, Map.of(), 4000)) {
                fixtures.bind(bind, bind.asCopy(7), context);
                assertThatThrownBy(() -> fixtures.bind(bind, bind.asCopy(8), context))
                        .isInstanceOfSatisfying(
                                BuildException.class, e -> assertThat(e.line()).isEqualTo(8))
                        .hasMessageContaining("more than the 4000 bytes of disk");
            }
            try (var fixtures = new Fixtures(scratch, Map.of(), 4000)) {
                Thread.currentThread().interrupt();
                assertThatThrownBy(() -> fixtures.bind(bind, bind.asCopy(7), context))
                        .isInstanceOf(InterruptedException.class);
            }
        } finally {
            Thread.interrupted();
        }
        try (var left = Files.list(scratch)) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void whatCannotBeLetGoOfKeepsNothingElse() {
        var closed = new ArrayList<String>();
        List<AutoCloseable> held = List.of(
                () -> {
                    throw new IllegalStateException("first");
                },
                () -> closed.add("second"),
                () -> {
                    throw new IOException("third");
                },
                () -> closed.add("fourth"));
        var config = new ImageConfig(Map.of(), List.of(), List.of(), "root", "/");
        var order = new BuildOrder(
                JobId.next(), "t", null, true, Limits.DEFAULT, Network.NONE, false, Map.of(), BuildOrder.USUAL_TIME);
        var planned = new PlannedBuild(
                "Dockerfile",
                order,
                new BuildPlan(List.of(), SCRATCH, config, List.of(), List.of()),
                _ -> new Built(null, null, 0, 0),
                held);
        assertThatThrownBy(planned::close)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("first")
                .satisfies(e -> assertThat(e.getSuppressed()).singleElement().isInstanceOf(IOException.class));
        assertThat(closed).containsExactly("second", "fourth");
    }

    @Test
    void patternsThatGoRoundInCirclesEnd() throws Exception {
        var tar = TestImages.tar();
        for (var number = 0; number < 200; number++) {
            tar.link("l" + number, ".");
        }
        var copy = new Step.Copy(4, new Source.Context(), List.of("*/*/*/*/*/*"), "/");
        try (var context = read(tar.bytes(), 1 << 20)) {
            assertThatThrownBy(() -> Selection.of(copy, context))
                    .isInstanceOf(BuildException.class)
                    .hasMessageContaining("1000000 files");
        }
    }

    @Test
    void patternsMeanWhatIsThere() throws Exception {
        try (var context = context(Map.of("a.c", "1", "b.c", "2", "d/c.c", "3", "x", "4"))) {
            assertThat(names(context, "*.c")).containsExactly("a.c", "b.c");
            assertThat(names(context, "*/*.c")).containsExactly("d/c.c");
            assertThat(names(context, "/d")).containsExactly("d");
            assertThatThrownBy(() -> names(context, "gone")).hasMessageContaining("\"gone\" is not in the context");
            assertThatThrownBy(() -> names(context, "*.h")).hasMessageContaining("matches *.h");
        }
    }

    private static List<String> names(BuildContext context, String pattern) throws Exception {
        var copy = new Step.Copy(1, new Source.Context(), List.of(pattern), "/");
        return Selection.of(copy, context).stream().map(Selection::name).toList();
    }
}
