package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.build.BuildException;
import org.junit.jupiter.api.Test;

final class BuildUploadsTest {
    private final BuildUploads uploads = new BuildUploads(2, 100);

    @Test
    void boundsTheCountOfEachTenant() {
        assertThat(uploads.begin("a", 0)).isEmpty();
        assertThat(uploads.begin("a", 0)).isEmpty();
        assertThat(uploads.begin("a", 0)).map(Refusal::reason).contains(Refusal.Reason.BUSY);
        assertThat(uploads.begin("b", 0)).isEmpty();
        uploads.end("a", 0);
        assertThat(uploads.begin("a", 0)).isEmpty();
        assertThat(uploads.refused()).isEqualTo(1);
        assertThat(uploads.count()).isEqualTo(3);
    }

    @Test
    void boundsTheBytesOfAllThatATenantHas() {
        assertThat(uploads.begin("a", 101)).isPresent();
        assertThat(uploads.begin("a", 100)).isEmpty();
        uploads.took("a", 60);
        assertThat(uploads.begin("a", 41)).isPresent();
        assertThat(uploads.begin("a", 0)).isEmpty();
        uploads.took("a", 40);
        assertThatThrownBy(() -> uploads.took("a", 1))
                .isInstanceOfSatisfying(
                        BuildException.class, e -> assertThat(e.problem()).isEqualTo(BuildException.Problem.BUSY));
        assertThat(uploads.bytes()).isEqualTo(100);
        uploads.end("a", 60);
        uploads.took("a", 60);
        uploads.end("a", 100);
        assertThat(uploads.bytes()).isZero();
        assertThat(uploads.count()).isZero();
    }
}
