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
import dev.bobbin.runner.Network;
import dev.bobbin.runner.build.pattern.IgnoreRules;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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
        try (var context = BuildContext.read(new ByteArrayInputStream(tar.bytes()), directory, 1 << 20)) {
            var key = new Key(BuildOrder.USUAL_TIME, List.of());
            key.files(context, Selection.of(copy, context), IgnoreRules.of(copy.excludes()));
            return key.digest();
        }
    }

    @Test
    void contextsOfAnySizeAreReadAsTheyCame() throws Exception {
        var large = TestImages.noise(7, 100_000);
        var tar = TestImages.tar().file("a", "first").file("b", large, 0644).file("c", "last");
        try (var context = BuildContext.read(new ByteArrayInputStream(tar.bytes()), directory, 1 << 20)) {
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

    private BuildContext context(Map<String, String> files) throws Exception {
        var tar = TestImages.tar();
        files.forEach(tar::file);
        return BuildContext.read(new ByteArrayInputStream(tar.bytes()), directory, 1 << 20);
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
        assertThatThrownBy(() -> BuildContext.read(new ByteArrayInputStream(tar), directory, 100))
                .hasMessageContaining("no directory");
        assertThatThrownBy(() -> BuildContext.read(
                        new ByteArrayInputStream(
                                TestImages.tar().file("f", "12345").bytes()),
                        directory,
                        4))
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
        assertThatThrownBy(() -> BuildContext.read(new ByteArrayInputStream(linked), directory, 14))
                .hasMessageContaining("more than 14 bytes");
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
