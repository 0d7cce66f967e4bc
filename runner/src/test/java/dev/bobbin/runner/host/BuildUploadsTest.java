package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.build.BuildException;
import org.junit.jupiter.api.Test;

final class BuildUploadsTest {
    private final BuildUploads uploads = new BuildUploads(2, 100, 90, 1000);

    @Test
    void boundsTheCountOfEachTenant() {
        assertThat(uploads.begin("a", 0)).isEmpty();
        assertThat(uploads.begin("a", 0)).isEmpty();
        assertThat(uploads.begin("a", 0)).map(Refusal::reason).contains(Refusal.Reason.BUSY);
        assertThat(uploads.begin("b", 0)).isEmpty();
        uploads.end("a", 0, 0);
        assertThat(uploads.begin("a", 0)).isEmpty();
        assertThat(uploads.refused()).isEqualTo(1);
        assertThat(uploads.count()).isEqualTo(3);
    }

    @Test
    void boundsTheBytesOfAllThatATenantHas() {
        assertThat(uploads.begin("a", 0)).isEmpty();
        uploads.took("a", 60, 60);
        assertThat(uploads.begin("a", 41)).isPresent();
        assertThat(uploads.begin("a", 0)).isEmpty();
        uploads.took("a", 40, 40);
        assertThatThrownBy(() -> uploads.took("a", 1, 1))
                .isInstanceOfSatisfying(
                        BuildException.class, e -> assertThat(e.problem()).isEqualTo(BuildException.Problem.BUSY));
        assertThat(uploads.bytes()).isEqualTo(100);
        uploads.end("a", 60, 0);
        uploads.took("a", 60, 60);
        uploads.end("a", 100, 0);
        assertThat(uploads.bytes()).isZero();
        assertThat(uploads.count()).isZero();
    }

    @Test
    void countsWhatIsAnnouncedBeforeItComes() {
        // the archive is longer than what it holds may be, and no more is counted
        assertThat(uploads.begin("a", 95)).isEmpty();
        assertThat(uploads.bytes()).isEqualTo(uploads.reserved(95)).isEqualTo(90);
        assertThat(uploads.begin("a", 11)).map(Refusal::reason).contains(Refusal.Reason.BUSY);
        uploads.took("a", 90, 0);
        assertThat(uploads.bytes()).isEqualTo(90);
        assertThat(uploads.received()).isEqualTo(90);
        uploads.end("a", 90, 0);
        assertThat(uploads.bytes()).isZero();
    }

    @Test
    void saysWhatMayNeverBe() {
        assertThatThrownBy(() -> uploads.begin("a", Long.MAX_VALUE))
                .isInstanceOfSatisfying(
                        BuildException.class, e -> assertThat(e.problem()).isEqualTo(BuildException.Problem.TOO_LARGE));
        assertThat(uploads.count()).isZero();
    }

    @Test
    void boundsTheMemoryOfAllTenants() {
        uploads.begin("a", 0);
        uploads.begin("b", 0);
        uploads.keeps(0, 600);
        uploads.keeps(0, 400);
        assertThatThrownBy(() -> uploads.keeps(400, 1))
                .isInstanceOfSatisfying(
                        BuildException.class, e -> assertThat(e.problem()).isEqualTo(BuildException.Problem.BUSY));
        uploads.end("a", 0, 600);
        uploads.keeps(400, 600);
        assertThatThrownBy(() -> uploads.keeps(1000, 1))
                .isInstanceOfSatisfying(
                        BuildException.class, e -> assertThat(e.problem()).isEqualTo(BuildException.Problem.TOO_LARGE));
    }
}
