package dev.bobbin.runner.build;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.build.dockerfile.DockerfileLanguage;
import dev.bobbin.runner.build.minibox.MiniBoxLanguage;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LanguagesTest {
    @ParameterizedTest
    @CsvSource({
        "MiniBox, FROM a, MiniBox",
        "boxfile, '', MiniBox",
        "dir/MiniBox.dev, x, MiniBox",
        "web.minibox, x, MiniBox",
        "Dockerfile, BASE a, Dockerfile",
        "Dockerfile.prod, x, Dockerfile",
        "web.Dockerfile, x, Dockerfile",
        "Containerfile, x, Dockerfile",
        "MiniBox/Dockerfile, x, Dockerfile",
        "recipe, 'BASE a\nBLOCK b', MiniBox",
        "recipe, '# c\n\nBOX a', MiniBox",
        "recipe, 'START-WITH a', MiniBox",
        "recipe, 'FROM a\nRUN <<X\nBASE a\nX', Dockerfile",
        "recipe, 'ARG A\nFROM a', Dockerfile",
        "'', 'FROM a', Dockerfile",
    })
    void areKnownByNameOrText(String name, String text, String language) {
        var known = Stream.of(new DockerfileLanguage(), new MiniBoxLanguage())
                .filter(each -> each.recognizes(name, text))
                .map(RecipeLanguage::fileName);

        assertThat(known).containsExactly(language);
    }
}
