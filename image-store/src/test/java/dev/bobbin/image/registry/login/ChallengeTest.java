package dev.bobbin.image.registry.login;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class ChallengeTest {
    @Test
    void readsWhatRegistriesSend() {
        var found = Challenge.parse("Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\","
                + "scope=\"repository:library/busybox:pull,push\"");

        assertThat(found).singleElement().satisfies(one -> {
            assertThat(one.scheme()).isEqualTo("bearer");
            assertThat(one.parameter("realm")).contains("https://auth.docker.io/token");
            assertThat(one.parameter("scope")).contains("repository:library/busybox:pull,push");
        });
    }

    @Test
    void readsSeveralInOneField() {
        var found = Challenge.parse("Negotiate, basic realm=\"a \\\"b\\\", c\" , BEARER Realm = x,service=y");

        assertThat(found).extracting(Challenge::scheme).containsExactly("negotiate", "basic", "bearer");
        assertThat(found.get(1).parameter("realm")).contains("a \"b\", c");
        assertThat(found.get(2).parameter("realm")).contains("x");
        assertThat(Challenge.find(List.of("Negotiate", "Basic realm=x"), "basic"))
                .isPresent();
    }

    @Test
    void survivesNonsense() {
        for (var text :
                List.of("", ",", "=", "\"", "Bearer realm=\"", "Bearer =", "a=b", "Bearer realm=\"\\", "B , , ,")) {
            Challenge.parse(text);
        }
        var seed = System.nanoTime();
        System.out.println("seed " + seed);
        var random = new Random(seed);
        var characters = "Bearer realm=\"x\", \\=\t";
        for (var i = 0; i < 20_000; i++) {
            var text = new StringBuilder();
            for (var length = random.nextInt(60); length > 0; length--) {
                text.append(characters.charAt(random.nextInt(characters.length())));
            }
            assertThat(Challenge.parse(text.toString()).size()).isLessThanOrEqualTo(32);
        }
    }
}
