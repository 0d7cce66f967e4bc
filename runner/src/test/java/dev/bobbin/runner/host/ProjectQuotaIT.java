package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.runner.FilesException;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Mount;
import dev.bobbin.runner.Volume;
import dev.bobbin.runner.host.TestHost.Result;
import dev.bobbin.runner.kernel.ProjectQuota;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What lasts keeps to its size on disk, where the file system can keep that.
class ProjectQuotaIT {
    private static final long MIB = 1024 * 1024;
    private static final Limits SIXTEEN = withDisk(16 * MIB);

    private QuotaDisk disk;
    private TestHost host;

    @BeforeEach
    void open() throws Exception {
        disk = QuotaDisk.mount(200 * MIB);
        host = TestHost.open(1, disk.root().resolve("a"));
    }

    @AfterEach
    void close() throws Exception {
        if (disk == null) {
            return;
        }
        try (var _ = disk;
                var _ = host) {
            // the host goes before its disk
        }
    }

    private static Limits withDisk(long bytes) {
        var usual = Limits.DEFAULT;
        return new Limits(usual.memoryBytes(), 0, usual.pids(), usual.time(), usual.outputBytes(), bytes);
    }

    private Result write(LastingSandbox sandbox, String path, int mebibytes) throws Exception {
        return host.sh(sandbox, "dd if=/dev/zero of=" + path + " bs=1M count=" + mebibytes + " && sync " + path);
    }

    private Volume volume(String name, long bytes) {
        return ((Volumes.Creation.Created) host.runtime().volumes().create("default", name, Map.of(), bytes)).volume();
    }

    @Test
    void aProgramCannotWritePastItsDiskAndNobodyElseNotices() throws Exception {
        var sandbox = host.place().limits(SIXTEEN).create();
        var neighbour = host.place().limits(SIXTEEN).create();
        assertThat(sandbox.unenforcedLimits()).isEmpty();
        var written = write(sandbox, "/big", 64);
        assertThat(written.exitCode()).isEqualTo(1);
        assertThat(written.stderr()).containsAnyOf("No space left on device", "Disk quota exceeded");
        assertThat(sandbox.sample().orElseThrow().disk().bytes()).isBetween(15 * MIB, 16 * MIB + 16 * 1024);
        assertThat(write(neighbour, "/some", 12).exitCode()).isZero();
        Files.write(disk.root().resolve("ours"), new byte[(int) MIB]);

        assertThat(host.sh(sandbox, "rm /big").exitCode()).isZero();
        assertThat(write(sandbox, "/less", 12).exitCode()).isZero();
    }

    @Test
    void whatItPrintsIsNotCounted() throws Exception {
        var sandbox = host.place().limits(SIXTEEN).create();
        var before = sandbox.sample().orElseThrow().disk().bytes();
        assertThat(host.sh(sandbox, "head -c 20M /dev/zero").exitCode()).isZero();
        assertThat(sandbox.sample().orElseThrow().disk().bytes()).isEqualTo(before);
    }

    @Test
    void itCannotMakeMoreFilesThanItsDiskIsFor() throws Exception {
        var sandbox = host.place().limits(withDisk(4 * MIB)).create();
        var made = host.sh(sandbox, "mkdir /many && cd /many && seq 3000 | xargs touch; ls | wc -l");
        assertThat(Integer.parseInt(made.stdout().strip())).isBetween(900, 1040);
        assertThat(made.stderr()).containsAnyOf("No space left on device", "Disk quota exceeded");
    }

    @Test
    void rootInsideCannotLeaveItsProject() throws Exception {
        var sandbox = host.place().limits(SIXTEEN).create();
        var tried = host.sh(sandbox, "echo x >/f && mkdir /d; chattr -p 0 /f; echo $?; chattr -P /d; echo $?");
        assertThat(tried.stdout().lines()).hasSize(2).doesNotContain("0");
        assertThat(host.sh(sandbox, "lsattr -dp /d").stdout()).contains("P");
    }

    @Test
    void holdsAfterAStopAndUnderTheNextServer() throws Exception {
        var id = host.place().limits(SIXTEEN).create().id();
        var sandbox = host.runtime().sandboxes().find(id).orElseThrow();
        sandbox.stop(9, java.time.Duration.ZERO);
        sandbox.start();
        assertThat(write(sandbox, "/big", 64).exitCode()).isEqualTo(1);
        host.restart();
        var again = host.runtime().sandboxes().find(id).orElseThrow();
        assertThat(again.unenforcedLimits()).isEmpty();
        assertThat(write(again, "/big2", 1).exitCode()).isEqualTo(1);
        assertThat(again.sample().orElseThrow().disk().bytes()).isGreaterThan(15 * MIB);
    }

    @Test
    void anUploadThatIsTooLargeIsRefusedAndLeavesNothing() throws Exception {
        var sandbox = host.place().limits(withDisk(64 * MIB)).create();
        var before = sandbox.sample().orElseThrow().disk();
        assertThatThrownBy(() -> sandbox.files().write("/big", 0644, zeros(1024 * MIB)))
                .isInstanceOfSatisfying(
                        FilesException.class, e -> assertThat(e.reason()).isEqualTo(FilesException.Reason.NO_SPACE));
        assertThat(sandbox.sample().orElseThrow().disk()).isEqualTo(before);
        sandbox.files().write("/small", 0644, new ByteArrayInputStream(new byte[100]));
    }

    private static InputStream zeros(long bytes) {
        return new InputStream() {
            private long left = bytes;

            @Override
            public int read() {
                return left-- > 0 ? 0 : -1;
            }

            @Override
            public int read(byte[] to, int from, int length) {
                var some = (int) Math.min(left, length);
                left -= some;
                return some == 0 && length > 0 ? -1 : some;
            }
        };
    }

    @Test
    void aVolumeKeepsToItsSizeWhoeverWrites() throws Exception {
        var volume = volume("data", 8 * MIB);
        var first = host.place().mount(new Mount.Volume("data", "/v", false)).create();
        var second = host.place().mount(new Mount.Volume("data", "/v", false)).create();
        assertThat(write(first, "/v/one", 6).exitCode()).isZero();
        assertThat(write(second, "/v/two", 6).exitCode()).isEqualTo(1);
        var volumes = host.runtime().volumes();
        assertThat(volumes.used(volume).orElseThrow().bytes()).isBetween(7 * MIB, 8 * MIB + 16 * 1024);
        assertThat(volumes.unenforcedLimits(volume)).isEmpty();
        assertThat(write(first, "/elsewhere", 20).exitCode()).isZero();
    }

    @Test
    void aVolumeWithoutASizeIsCounted() throws Exception {
        var sandbox = host.place().mount(new Mount.Volume("free", "/v", false)).create();
        assertThat(write(sandbox, "/v/file", 20).exitCode()).isZero();
        var volume = host.runtime().volumes().find("default", "free").orElseThrow();
        assertThat(host.runtime().volumes().used(volume).orElseThrow().bytes()).isBetween(20 * MIB, 21 * MIB);
    }

    @Test
    void projectsOfBobbinsOnOneFileSystemDifferAndAreFreeAgainAfterRemoval() throws Exception {
        var ours = host.place().limits(SIXTEEN).create();
        var project = ours.life().record().project();
        Path projects;
        try (var other = TestHost.open(1, disk.root().resolve("b"))) {
            var theirs = other.place().limits(SIXTEEN).create();
            var theirProject = theirs.life().record().project();
            assertThat(theirProject).isNotZero().isNotEqualTo(project);
            projects = other.dataDir().resolve("projects");
            assertThat(projects.resolve(Integer.toString(theirProject))).exists();
            theirs.remove();
            for (var tries = 0; Files.exists(projects.resolve(Integer.toString(theirProject))); tries++) {
                assertThat(tries).isLessThan(1000);
                Thread.sleep(20);
            }
            assertThat(ProjectQuota.use(disk.root(), theirProject).isFree()).isTrue();
        }
        assertThat(ProjectQuota.use(disk.root(), project).mostBytes()).isEqualTo(16 * MIB + 16 * 1024);
    }

    @Test
    void aProjectThatWasClaimedForNothingIsLetGoOfByTheNextServer() throws Exception {
        var claims = Files.createDirectories(host.dataDir().resolve("projects"));
        Files.createFile(claims.resolve("1999999999"));
        ProjectQuota.limit(disk.root(), 1_999_999_999, MIB, 10);
        host.restart();
        assertThat(claims.resolve("1999999999")).doesNotExist();
        assertThat(ProjectQuota.use(disk.root(), 1_999_999_999).isFree()).isTrue();
    }
}
