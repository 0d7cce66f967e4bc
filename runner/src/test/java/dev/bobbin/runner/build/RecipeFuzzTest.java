package dev.bobbin.runner.build;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageConfig;
import dev.bobbin.runner.build.dockerfile.DockerfileLanguage;
import dev.bobbin.runner.build.minibox.MiniBoxLanguage;
import dev.bobbin.runner.build.pattern.IgnoreRules;
import dev.bobbin.runner.host.Mutations;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Recipes put together and torn apart at random: each compiles, or is refused with a line that it has.
/// `-Dbobbin.seed=` repeats a run, `-Dbobbin.fuzz.seconds=` makes it longer.
class RecipeFuzzTest {
    private static final List<RecipeLanguage> LANGUAGES = List.of(new DockerfileLanguage(), new MiniBoxLanguage());

    private static final List<String> PIECES = List.of(
            "FROM debian",
            "FROM debian AS a",
            "FROM a",
            "FROM scratch",
            "FROM ${X:-debian}",
            "ARG X",
            "ARG X=1 Y=$X",
            "ENV A=1 B=\"$A\" C='x'",
            "ENV D e f",
            "RUN make",
            "RUN [\"a\", \"b\"]",
            "RUN <<EOF\nx\nEOF",
            "RUN cat <<-'E' <<F\n\tx\n\tE\ny\nF",
            "RUN --mount=type=cache,target=/c,id=$X x",
            "RUN --mount=type=bind,from=a,target=/b --network=none x",
            "RUN --mount=type=secret,id=s,env=S x",
            "COPY . /",
            "COPY --from=a /x /y/",
            "COPY --from=0 --chown=1:2 a b c/",
            "COPY <<EOF /f\n$A ${B\nEOF",
            "ADD --chmod=755 x.tar /",
            "WORKDIR ../$A/b",
            "USER ${U:-root}",
            "CMD x",
            "CMD [\"x\"]",
            "ENTRYPOINT [\"y\"]",
            "LABEL a=b \"c\"=\"d\"",
            "EXPOSE 80 90-95/udp $P",
            "VOLUME /a [b]",
            "STOPSIGNAL 9",
            "HEALTHCHECK --interval=5s CMD x",
            "SHELL [\"/bin/sh\", \"-c\"]",
            "ONBUILD RUN x",
            "MAINTAINER me",
            "# escape=`",
            "# comment",
            "BASE debian",
            "BLOCK a",
            "BLOCK b",
            "    NEED a",
            "    BNEED b",
            "    RUN x y",
            "    COPY a b",
            "    COPY FROM=a b c",
            "    WORKDIR x",
            "    ENV A=1",
            "    PKG a@1",
            "    AUTO-DEPS",
            "    USER u",
            "    PORT 1",
            "    VOLUME v",
            "START a b",
            "HEALTHCHECK --interval=3 x",
            "BOX debian",
            "GRAB-ALL",
            "\\",
            "`",
            "${",
            "'",
            "\"",
            "<<X",
            "$((1<<2))",
            "\u0000",
            "\ufeff",
            "\ud800",
            "ä→\u2028",
            "  ",
            "\t",
            "\r\n",
            "--",
            "=",
            ",",
            "[",
            "]",
            "!");

    @Test
    void everyRecipeCompilesOrIsRefusedByItsLine() {
        var compiled = Mutations.survive("recipes", 4000, random -> {
            var text = text(random);
            for (var language : LANGUAGES) {
                language.recognizes("", text);
                compile(language, text);
            }
        });
        assertThat(compiled).isPositive();
    }

    @Test
    void everyIgnoreFileIsReadOrRefused() {
        var read = Mutations.survive("ignore files", 4000, random -> {
            var text = text(random).replace(' ', "*?[]!/\\^-.".charAt(random.nextInt(10)));
            try {
                IgnoreRules.read(text).ignores("some/path/of.any.kind");
            } catch (IllegalArgumentException e) {
                assertThat(e).hasMessageMatching("(?s)line \\d+: .*");
                throw new IOException(e);
            }
        });
        assertThat(read).isPositive();
    }

    private static void compile(RecipeLanguage language, String text) throws IOException, InterruptedException {
        try {
            language.compile(
                    new Recipe("recipe", text, null, Map.of("X", "debian", "U", "$U")),
                    reference -> new BaseImage(
                            reference,
                            Digest.sha256(reference.text()),
                            new ImageConfig(Map.of(), List.of(), List.of(), "root", "/")));
        } catch (BuildException e) {
            assertThat(e.line()).isBetween(0, text.split("\n", -1).length);
            assertThat(e.getMessage()).isNotBlank();
            throw new IOException(e);
        }
    }

    private static String text(Random random) {
        var text = new StringBuilder(random.nextBoolean() ? "FROM debian AS a\n" : "BASE debian\nBLOCK a\n");
        for (var pieces = random.nextInt(12); pieces > 0; pieces--) {
            text.append(PIECES.get(random.nextInt(PIECES.size()))).append(random.nextInt(4) == 0 ? " " : "\n");
        }
        for (var changes = random.nextInt(4); changes > 0 && !text.isEmpty(); changes--) {
            var at = random.nextInt(text.length());
            switch (random.nextInt(3)) {
                case 0 -> text.deleteCharAt(at);
                case 1 -> text.insert(at, PIECES.get(random.nextInt(PIECES.size())));
                default -> text.setCharAt(at, (char) random.nextInt(128));
            }
        }
        return text.toString();
    }
}
