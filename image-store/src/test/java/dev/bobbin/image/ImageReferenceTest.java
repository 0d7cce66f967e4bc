package dev.bobbin.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class ImageReferenceTest {
    private static final String DIGEST = "sha256:" + "0".repeat(64);

    @Test
    void understandsWhatIsLeftOut() {
        assertThat(new ImageReference("busybox").canonical()).isEqualTo("docker.io/library/busybox:latest");
        assertThat(new ImageReference("index.docker.io/team/app:1").canonical()).isEqualTo("docker.io/team/app:1");
        assertThat(new ImageReference("localhost/a").canonical()).isEqualTo("localhost/a:latest");
        assertThat(new ImageReference("r.example:5000/a/b:V1@" + DIGEST).canonical())
                .isEqualTo("r.example:5000/a/b@" + DIGEST);
        assertThat(new ImageReference("[::1]:5000/a").registry()).isEqualTo("[::1]:5000");
        assertThat(new ImageReference("a@" + DIGEST).tag()).isEmpty();
    }

    @Test
    void takesTheNamesThatRegistriesTake() {
        for (var name : List.of("a", "library/a", "r.example:5000/a/b_c:V1.2", "a__b/c-d.e", "a@" + DIGEST)) {
            assertThat(new ImageReference(name).text()).isEqualTo(name);
        }
    }

    @Test
    void refusesAllOthers() {
        for (var name : List.of(
                "",
                "UPPER",
                "/a",
                "a b",
                "../a",
                "a@sha256:1",
                "a@md5:" + "0".repeat(32),
                "-a",
                "a\n",
                "a/",
                "a//b",
                "a:",
                "a:-",
                "r.example:port/a",
                "r.example/../a",
                "a/./b",
                "a".repeat(600),
                "a:" + "t".repeat(129))) {
            assertThatThrownBy(() -> new ImageReference(name)).as(name).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void reservesHost() {
        assertThat(new ImageReference("host").isHost()).isTrue();
        assertThat(new ImageReference("host:1").isReserved()).isTrue();
        assertThat(new ImageReference("r.example/host").isReserved()).isFalse();
        assertThat(new ImageReference("library/host").isReserved()).isFalse();
    }
}
