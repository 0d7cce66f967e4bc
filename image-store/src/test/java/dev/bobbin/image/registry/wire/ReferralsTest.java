package dev.bobbin.image.registry.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ReferralsTest {
    private static final URI SECURE = URI.create("https://registry.test/v2/app/blobs/x?y=z");
    private static final URI PLAIN = URI.create("http://registry.test:5000/v2/");

    private final Referrals referrals = new Referrals(Set.of("plain.test", "port.test:81"));

    @Test
    void takesPlacesOnTheSameHostAndElsewhere() throws IOException {
        assertThat(referrals.judge(SECURE, "/a?b=%20c")).hasToString("https://registry.test/a?b=%20c");
        assertThat(referrals.judge(SECURE, "//cdn.test/a")).hasToString("https://cdn.test/a");
        assertThat(referrals.judge(SECURE, "https://cdn.test/a")).hasToString("https://cdn.test/a");
        assertThat(referrals.judge(PLAIN, "https://registry.test/a")).hasToString("https://registry.test/a");
    }

    @Test
    void neverLeavesHttps() {
        for (var place : new String[] {"http://registry.test/a", "http://plain.test/a", "HTTP://plain.test/"}) {
            assertThatThrownBy(() -> referrals.judge(SECURE, place)).isInstanceOf(RefusedException.class);
        }
    }

    @Test
    void usesPlainHttpOnlyWhereItMay() throws IOException {
        assertThat(referrals.judge(PLAIN, "http://registry.test:6000/")).isNotNull();
        assertThat(referrals.judge(PLAIN, "http://plain.test/")).isNotNull();
        assertThat(referrals.judge(PLAIN, "http://port.test:81/")).isNotNull();
        assertThatThrownBy(() -> referrals.judge(PLAIN, "http://port.test/")).isInstanceOf(RefusedException.class);
        assertThatThrownBy(() -> referrals.judge(PLAIN, "http://other.test/")).isInstanceOf(RefusedException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "file:///etc/passwd",
                "gopher://a.test/",
                "https://user@a.test/",
                "https://u:p@a.test/",
                "https:///x",
                "https://a.test:0/",
                "https://a.test:70000/",
                "https://a b/",
                "https://%31/",
                "https:a.test",
                "https://a_test\r\nHost: x/",
                "https://[::1",
                "javascript:1"
            })
    void refusesPlacesThatAreNone(String place) {
        assertThatThrownBy(() -> referrals.judge(SECURE, place)).isInstanceOf(RefusedException.class);
    }

    @Test
    void keepsAuthorizationWithinOneOrigin() {
        var request = Request.of("GET", SECURE).with("Authorization", "Basic x").with("Accept", "y");

        assertThat(request.to(URI.create("https://registry.test/other")).headers())
                .containsKey("Authorization");
        assertThat(request.to(URI.create("https://REGISTRY.test:443/other")).headers())
                .containsKey("Authorization");
        for (var other : new String[] {
            "https://registry.test:444/", "http://registry.test/", "https://a.registry.test/", "https://registry.test./"
        }) {
            assertThat(request.to(URI.create(other)).headers())
                    .as(other)
                    .doesNotContainKey("Authorization")
                    .containsKey("Accept");
        }
    }

    @Test
    void printsNeitherHeadersNorQuery() {
        var request = Request.of("GET", URI.create("https://a.test/b?signature=secret"))
                .with("Authorization", "secret");

        assertThat(request.toString()).isEqualTo("GET https://a.test/b");
    }

    @Test
    void refusesValuesThatWouldBeMoreThanValues() {
        assertThatThrownBy(() -> Request.of("GET", SECURE).with("Authorization", "x\r\nHost: y"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageNotContaining("Host: y");
    }
}
