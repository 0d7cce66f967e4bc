package dev.bobbin.runner.build.minibox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageReference;
import dev.bobbin.runner.build.Base;
import dev.bobbin.runner.build.BaseImage;
import dev.bobbin.runner.build.Block;
import dev.bobbin.runner.build.BuildException;
import dev.bobbin.runner.build.BuildPlan;
import dev.bobbin.runner.build.Recipe;
import dev.bobbin.runner.build.RecipeLanguage.ContextFilter;
import dev.bobbin.runner.build.Source;
import dev.bobbin.runner.build.Step;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MiniBoxTest {
    private static final ImageConfig BASE =
            new ImageConfig(Map.of("PATH", "/bin", "LANG", "C"), List.of("/entry"), List.of("sh"), "nobody", "/home");

    @Test
    void blocksNeedOneAnother() {
        var plan = plan("""
                # a comment
                BASE alpine
                BLOCK deps
                    WORKDIR /srv
                    RUN  echo   a  "b"
                BLOCK tools
                \tPKG git
                BLOCK app
                    NEED deps
                    BNEED tools
                    COPY src /srv/src/
                    COPY FROM=tools usr/bin/git /bin/git
                    RUN make
                START /srv/run "now"
                """);

        assertThat(plan.result()).isEqualTo(new Base.Result("app"));
        assertThat(plan.blocks()).extracting(Block::name).containsExactly("deps", "tools", "app");
        assertThat(plan.blocks()).extracting(Block::base).containsOnly(new Base.Image(new ImageReference("alpine")));
        var app = plan.blocks().getLast();
        assertThat(app.needs()).containsExactly("deps");
        assertThat(app.after()).containsExactly("tools");
        assertThat(app.steps().get(0)).isEqualTo(new Step.Copy(11, new Source.Context(), List.of("src"), "/srv/src/"));
        assertThat(app.steps().get(1))
                .isEqualTo(new Step.Copy(12, new Source.OwnLayer("tools"), List.of("usr/bin/git"), "/bin/git"));
        assertThat(run(plan, "deps").argv()).containsExactly("/bin/sh", "-c", "echo a \"b\"");
        assertThat(run(plan, "app").workdir()).isEqualTo("/srv");
        assertThat(plan.history()).extracting(BuildPlan.Past::block).containsExactly("deps", "app");
        assertThat(plan.config().command()).containsExactly("/srv/run", "\"now\"");
        assertThat(plan.warnings()).isEmpty();
    }

    @Test
    void theImageInheritsFromTheBaseWhatTheFileDoesNotSay() {
        var config = plan("BASE alpine\nBLOCK a\n  RUN x\n").config();

        assertThat(config.environment()).isEqualTo(BASE.environment());
        assertThat(config.entrypoint()).containsExactly("/entry");
        assertThat(config.command()).containsExactly("sh");
        assertThat(config.user()).isEqualTo("nobody");
        assertThat(config.workdir()).isEqualTo("/home");
    }

    @Test
    void theImageHasWhatTheFileSays() {
        var plan = plan("""
                BASE alpine
                BLOCK a
                    RUN early
                    USER app
                    RUN late
                BLOCK b
                    NEED a
                    ENV A=1 B=2
                    env C 3
                    ENV A=last
                    PORT 8080
                    VOLUME /data
                    WORKDIR rel/x
                HEALTHCHECK --interval=5 curl -f http://x
                """);
        var config = plan.config();

        assertThat(config.environment())
                .isEqualTo(Map.of("PATH", "/bin", "LANG", "C", "A", "last", "B", "2", "C", "3"));
        assertThat(run(plan, "a").env()).isEqualTo(config.environment());
        assertThat(run(plan, "a").user()).isEqualTo("nobody");
        assertThat(((Step.Run) plan.blocks().getFirst().steps().getLast()).user())
                .isEqualTo("app");
        assertThat(config.user()).isEqualTo("app");
        assertThat(config.exposedPorts()).containsExactly("8080/tcp");
        assertThat(config.volumes()).containsExactly("/data");
        assertThat(config.workdir()).isEqualTo("/rel/x");
        assertThat(config.labels())
                .isEqualTo(
                        Map.of("mini.healthcheck.cmd", "curl\u001f-f\u001fhttp://x", "mini.healthcheck.interval", "5"));
    }

    @Test
    void packagesComeFromWhatTheBaseHas() {
        var script =
                run(plan("BASE alpine\nBLOCK a\n  PKG curl@8.5\n"), "a").argv().getLast();

        assertThat(script)
                .contains("apk add --no-cache 'curl=8.5*'\n")
                .contains("apt-get install -y --no-install-recommends 'curl=8.5*' &&")
                .contains("PKG needs apk or apt-get in the base image");
        assertRefused("BASE alpine\nBLOCK a\n  PKG '; rm -rf /\n", 3, "\"';\" is no package name");
    }

    @Test
    void dependenciesAreFoundAtTheEndOfABlock() {
        var plan = plan("BASE alpine\nBLOCK a\n  AUTO-DEPS\n  WORKDIR /app\n  COPY . /app\n");
        var last = (Step.Run) plan.blocks().getFirst().steps().getLast();

        assertThat(last.workdir()).isEqualTo("/app");
        assertThat(last.argv().getLast()).startsWith("""
                if [ -f package.json ]; then
                    echo '   ---> auto-deps: detected package.json → running npm install'
                    npm install || exit $?
                fi
                if [ -f requirements.txt ]; then
                """);
    }

    @Test
    void aBaseWithoutVariablesGetsTheUsualOnesInCommandsOnly() {
        var plan = plan("BASE scratch\nBLOCK a\n  RUN x\n");

        assertThat(plan.blocks().getFirst().base()).isEqualTo(new Base.Scratch());
        assertThat(run(plan, "a").env()).containsEntry("HOME", "/root").containsKey("PATH");
        assertThat(plan.config().environment()).isEmpty();
    }

    @Test
    void namesAreExactNotPatterns() {
        var copy = (Step.Copy) plan("BASE alpine\nBLOCK a\n  COPY a*[b]? dst\n")
                .blocks()
                .getFirst()
                .steps()
                .getFirst();

        assertThat(copy.patterns()).containsExactly("a\\*\\[b]\\?");
        assertThat(copy.destination()).isEqualTo("/dst");
    }

    @Test
    void theOlderFormIsAChain() {
        var plan = plan("""
                start-with alpine
                  ADD-PACKAGE git
                CLONE-REPO https://example.org/x /src
                GOTO-FOLDER /src
                SET-ENVIRONMENT A=1
                INSTALL-DEPS
                IMPORT-FILE a b
                GRAB-ALL
                RUN-COMMAND make all
                LAUNCH ./run fast
                """);

        assertThat(plan.blocks())
                .extracting(Block::title)
                .containsExactly(
                        "ADD-PACKAGE git",
                        "CLONE-REPO https://example.org/x /src",
                        "GOTO-FOLDER /src",
                        "INSTALL-DEPS",
                        "IMPORT-FILE a b",
                        "GRAB-ALL",
                        "RUN-COMMAND make all");
        assertThat(plan.blocks().getFirst().base()).isEqualTo(new Base.Image(new ImageReference("alpine")));
        assertThat(plan.blocks().get(1).base()).isEqualTo(new Base.Result("step-1"));
        assertThat(run(plan, "step-2").env()).doesNotContainKey("A");
        assertThat(run(plan, "step-4").argv()).containsExactly("/bin/sh", "-c", "npm install");
        assertThat(run(plan, "step-4").env()).containsEntry("A", "1");
        assertThat(run(plan, "step-7").workdir()).isEqualTo("/src");
        assertThat(plan.config().command()).containsExactly("./run", "fast");
        assertThat(plan.config().workdir()).isEqualTo("/src");
    }

    @Test
    void fromAloneIsTheImageItself() {
        var plan = plan("FROM alpine\n");

        assertThat(plan.result()).isEqualTo(new Base.Image(new ImageReference("alpine")));
        assertThat(plan.config().command()).containsExactly("sh");
        assertThat(plan("BASE alpine\nSTART a\n").result()).isEqualTo(plan.result());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "''                              | 0 | invalid Boxfile: missing BASE or BOX directive",
                "'RUN x'                         | 0 | invalid Boxfile: missing BASE or BOX directive",
                "' BASE a\nBLOCK x'              | 0 | invalid Boxfile: missing BASE directive",
                "'BASE'                          | 1 | BASE requires an image argument",
                "'BASE a\n\nBLOCK'               | 3 | BLOCK requires a name",
                "'BASE a\nBLOCK b\n NEED'        | 3 | NEED requires a block name",
                "'BASE a\nBLOCK b\n BNEED'       | 3 | BNEED requires a block name",
                "'BASE a\nBLOCK b\n WORKDIR'     | 3 | WORKDIR requires a path",
                "'BASE a\nBLOCK b\n PKG'         | 3 | PKG requires a package name",
                "'FROM a\nWORKDIR'               | 2 | WORKDIR requires a path",
                "'BOX'                           | 1 | BOX requires an image argument",
            })
    void whatIsWrongIsSaidBeforeAnyImageIsLookedFor(String text, int line, String message) {
        assertThatThrownBy(() -> MiniBoxLanguage.check(text))
                .isInstanceOfSatisfying(
                        BuildException.class, e -> assertThat(e.line()).isEqualTo(line))
                .hasMessage(message);
        assertRefused(text, line, message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'BASE alpine\nBLOCK b\n NEED c\nBLOCK c\n NEED b' | 2 | circular or unsatisfiable block dependencies detected",
                "'BASE alpine\nBLOCK b\n NEED nope'         | 2 | circular or unsatisfiable block dependencies detected",
                "'BASE alpine\nBLOCK b\n COPY FROM=b x y'   | 2 | circular or unsatisfiable block dependencies detected",
                "'BASE alpine\nBLOCK b\n COPY ../x y'       | 3 | ../x lies outside the build context",
                "'BASE alpine\nBLOCK b\nBLOCK b'            | 3 | there are two blocks b",
            })
    void refuses(String text, int line, String message) {
        assertRefused(text, line, message);
    }

    @Test
    void refusesArchivesAsABase() {
        assertThatThrownBy(() -> plan("BASE /srv/image.tar\n")).hasMessageContaining("has to be loaded");
    }

    @Test
    void passesOverWhatItDoesNotKnowWithAWarning() {
        var plan = plan("""
                RUN top
                  RUN nowhere
                BASE alpine
                BLOCK a
                  WHAT x
                  COPY one
                  ENV A
                  ENV A b c
                  PORT x
                  RUN
                HEALTHCHECK --interval=x
                """);

        assertThat(plan.warnings())
                .extracting(BuildPlan.Warning::line)
                .containsExactlyInAnyOrder(1, 2, 5, 6, 7, 8, 9, 10, 11, 11);
        assertThat(plan.blocks().getFirst().steps()).isEmpty();
    }

    @Test
    void targetsAreBlocks() {
        var text = "BASE alpine\nBLOCK a\n RUN x\nBLOCK b\n RUN y\n";

        assertThat(plan(text, "a").result()).isEqualTo(new Base.Result("a"));
        assertThatThrownBy(() -> plan(text, "c")).hasMessage("there is no block c");
    }

    @Test
    void theIgnoreFileNamesPathsAndBaseNames() {
        var filter = filter("# comment\n\nnode_modules\n./a/b\n/c/\n*.log\n");

        assertThat(filter.keeps("x/node_modules/y", false)).isFalse();
        assertThat(filter.keeps("a/b", true)).isFalse();
        assertThat(filter.keeps("a/b/c", false)).isFalse();
        assertThat(filter.keeps("c", true)).isFalse();
        assertThat(filter.keeps("a", true)).isTrue();
        assertThat(filter.keeps("x/a/b", false)).isTrue();
        assertThat(filter.keeps("x.log", false)).isTrue();
        assertThat(filter.keeps("*.log", false)).isFalse();
    }

    private static ContextFilter filter(String text) {
        return new MiniBoxLanguage()
                .filter("MiniBox", path -> path.equals(".miniboxignore") ? Optional.of(text) : Optional.empty());
    }

    private static void assertRefused(String text, int line, String message) {
        assertThatThrownBy(() -> plan(text))
                .isInstanceOfSatisfying(
                        BuildException.class, e -> assertThat(e.line()).isEqualTo(line))
                .hasMessage(message);
    }

    private static Step.Run run(BuildPlan plan, String block) {
        return plan.blocks().stream()
                .filter(each -> each.name().equals(block))
                .flatMap(each -> each.steps().stream())
                .filter(Step.Run.class::isInstance)
                .map(Step.Run.class::cast)
                .findFirst()
                .orElseThrow();
    }

    private static BuildPlan plan(String text) {
        return plan(text, null);
    }

    static BuildPlan plan(String text, @Nullable String target) {
        try {
            return new MiniBoxLanguage().compile(new Recipe("MiniBox", text, target, Map.of()), MiniBoxTest::resolve);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static BaseImage resolve(ImageReference reference) {
        return new BaseImage(reference, Digest.sha256(Objects.requireNonNull(reference.text())), BASE);
    }
}
