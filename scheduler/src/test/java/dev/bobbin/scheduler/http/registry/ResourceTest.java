package dev.bobbin.scheduler.http.registry;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ResourceTest {
    @Test
    void readsAPathFromItsEnd() {
        assertThat(Resource.parse("demo/manifests/latest")).contains(new Resource.Manifest("demo", "latest"));
        assertThat(Resource.parse("a/manifests/b/blobs/sha256:00"))
                .contains(new Resource.Blob("a/manifests/b", "sha256:00"));
        assertThat(Resource.parse("tags/list/tags/list")).contains(new Resource.Tags("tags/list"));
        assertThat(Resource.parse("a/b/c/referrers/sha256:00")).contains(new Resource.Referrers("a/b/c", "sha256:00"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "", "/", "manifests/latest", "/manifests/latest", "Demo/manifests/latest", "demo//manifests/latest",
                "../etc/manifests/latest", "demo/manifests", "demo/uploads/1", "_catalog", "/tags/list", "tags/list"
            })
    void knowsNothingElse(String path) {
        assertThat(Resource.parse(path)).isEmpty();
    }
}
