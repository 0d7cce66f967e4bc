package dev.bobbin.runner.build.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RecipeLanguagesTest {
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
        "'', '', Dockerfile",
    })
    void isKnownByNameOrText(String name, String text, String language) {
        assertThat(RecipeLanguages.of(name, text).fileName()).isEqualTo(language);
    }
}
