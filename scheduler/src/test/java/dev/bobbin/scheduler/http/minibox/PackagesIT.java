package dev.bobbin.scheduler.http.minibox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.TestImages;
import dev.bobbin.image.Tools;
import dev.bobbin.image.store.PrunePolicy;
import dev.bobbin.scheduler.http.TestServer;
import dev.bobbin.scheduler.tenant.Tenant;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/// `PKG` on real bases: this machine's own apt and dpkg, and a whole Debian; the repository is in the image, so that
/// nothing is downloaded.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(300)
final class PackagesIT {
    private static final String[] APT = {
        "/usr/bin/apt-get",
        "/usr/bin/apt-config",
        "/usr/lib/apt/methods/file",
        "/usr/lib/apt/methods/copy",
        "/usr/lib/apt/methods/store",
        "/usr/lib/apt/methods/gpgv",
        "/usr/bin/dpkg",
        "/usr/bin/dpkg-deb",
        "/usr/bin/dpkg-split",
        "/usr/bin/dpkg-query",
        "/usr/bin/tar",
        "/usr/sbin/ldconfig",
        "/usr/sbin/start-stop-daemon",
        "/usr/bin/diff",
        "/usr/bin/rm",
        "/usr/bin/bash",
        "/usr/share/dpkg/cputable",
        "/usr/share/dpkg/tupletable",
        "/usr/share/dpkg/ostable",
        "/usr/share/dpkg/abitable"
    };

    /* Two packages, one of which needs the other, and two versions of the first. */
    private static final String REPOSITORY = """
            mkdir -p srv/repo; cd srv/repo
            pack() {
                mkdir -p $1-$2/DEBIAN $1-$2/usr/share/$1
                printf 'Package: %s\\nVersion: %s\\nArchitecture: all\\nMaintainer: nobody\\nDescription: a test\\n' \\
                    $1 $2 > $1-$2/DEBIAN/control
                [ -z "$3" ] || echo "Depends: $3" >> $1-$2/DEBIAN/control
                printf '#!/bin/sh\\necho configured $1 > /usr/share/%s/configured\\n' $1 > $1-$2/DEBIAN/postinst
                chmod 755 $1-$2/DEBIAN/postinst; echo $2 > $1-$2/usr/share/$1/version
                dpkg-deb -Znone --root-owner-group -b $1-$2 $1-$2.deb
                { cat $1-$2/DEBIAN/control; echo "Filename: ./$1-$2.deb"; stat -c 'Size: %s' $1-$2.deb
                  echo "SHA256: $(sha256sum $1-$2.deb | cut -c1-64)"; echo; } >> Packages
                rm -r $1-$2
            }
            pack probe 1.0-3 needed; pack probe 2.0-1 needed; pack needed 7
            """;

    private Path directory = Path.of("");
    private TestServer server = unset();

    @SuppressWarnings("NullAway") // set before any test
    private static TestServer unset() {
        return null;
    }

    @BeforeAll
    void open(@TempDir Path directory) throws Exception {
        this.directory = directory;
        Tools.require("apt-get", "dpkg-deb");
        server = TestServer.open();
        Tools.shell("cd " + directory + "; " + REPOSITORY);
    }

    @AfterAll
    void close() throws IOException {
        server.host.runtime().builds().prune(Duration.ZERO);
        server.host.images().prune(new PrunePolicy(Duration.ZERO, null));
        server.close();
    }

    private byte[] repository() throws Exception {
        var tar = TestImages.tar()
                .directory("tmp", 01777)
                .file("etc/apt/sources.list", "deb [trusted=yes] file:/srv/repo ./\n");
        try (var files = Files.list(directory.resolve("srv/repo"))) {
            for (var file : files.sorted().toList()) {
                tar.file("srv/repo/" + file.getFileName(), Files.readAllBytes(file), 0644);
            }
        }
        return tar.bytes();
    }

    private static byte[] emptyDatabases() {
        var tar = TestImages.tar();
        for (var each : List.of("var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers", "var/log/apt")) {
            tar.directory(each, 0755);
        }
        return tar.directory("var/lib/apt/lists/partial", 0700)
                .directory("var/cache/apt/archives/partial", 0700)
                .file("var/lib/dpkg/status", "")
                .file("etc/passwd", "root:x:0:0::/root:/bin/sh\n_apt:x:42:65534::/nonexistent:/bin/false\n")
                .file("etc/group", "root:x:0:\nnogroup:x:65534:\n")
                .bytes();
    }

    private void base(String name, List<byte[]> layers) {
        var config = new ImageConfig(Map.of(), List.of(), List.of("sh"), "root", "/");
        server.host
                .images()
                .commit(
                        Tenant.DEFAULT.name(),
                        new ImageReference(name),
                        null,
                        config,
                        layers.stream().map(TestImages::stream).toList());
    }

    private String build(String image, String recipe) throws IOException {
        var body = "{\"image\":\"" + image + "\",\"minibox\":\"" + recipe.replace("\n", "\\n") + "\",\"context\":\""
                + directory + "\"}";
        return server.post("/containers/build", body).text();
    }

    private String run(String image, String script) throws IOException {
        return server.post(
                        "/containers/run",
                        "{\"image\":\"" + image + "\",\"command\":[\"sh\",\"-c\",\"" + script + "\"]}")
                .text();
    }

    private void installs(String base) throws IOException {
        assertThat(build("newest", "BASE " + base + "\nBLOCK a\n    PKG probe\n"))
                .endsWith("\nBuild completed successfully\n");
        assertThat(run(
                        "newest",
                        "cd /usr/share; cat probe/version needed/version probe/configured; ls /var/lib/apt/lists"))
                .isEqualTo("2.0-1\n7\nconfigured configure\n");
        assertThat(build("pinned", "BASE " + base + "\nBLOCK a\n    PKG probe@1.0\n"))
                .endsWith("\nBuild completed successfully\n");
        assertThat(run(
                        "pinned",
                        "cat /usr/share/probe/version; dpkg-query -f '${Package} ${Version} ' -W probe needed"))
                .isEqualTo("1.0-3\nneeded 7 probe 1.0-3 ");
        assertThat(build("absent", "BASE " + base + "\nBLOCK a\n    PKG nothing\n"))
                .contains("[a] E: Unable to locate package nothing\n[build] line 3: PKG nothing\n")
                .endsWith("\nBuild failed: block a: run [PKG nothing]: exit status 100\n");
    }

    @Test
    void comeFromAptWhereTheBaseHasIt() throws Exception {
        base("apt", List.of(TestImages.busybox(), HostPrograms.layer(directory, APT), emptyDatabases(), repository()));

        installs("apt");
    }

    @Test
    @EnabledIfSystemProperty(named = "bobbin.test.debian", matches = "true")
    void comeFromAptOfAWholeDebian() throws Exception {
        Tools.require("mmdebstrap");
        var tar = directory.resolve("debian.tar");
        Tools.shell("mmdebstrap -q --variant=minbase --mode=root --format=tar bookworm " + tar);
        base("debian", List.of(Files.readAllBytes(tar), repository()));

        installs("debian");
    }

    /// There is no package of apk for Debian: what the script asks of it is what is tried, by a program that notes it.
    @Test
    void comeFromApkWhereTheBaseHasThat() throws Exception {
        var noting = "#!/bin/sh\necho \"apk $*\" >> /asked\n".getBytes(java.nio.charset.StandardCharsets.UTF_8);
        base(
                "alpine",
                List.of(
                        TestImages.busybox(),
                        TestImages.tar().file("sbin/apk", noting, 0755).bytes()));

        assertThat(build("asking", "BASE alpine\nBLOCK a\n    PKG curl\n    PKG python3@3.11\n"))
                .endsWith("\nBuild completed successfully\n");
        assertThat(run("asking", "cat /asked"))
                .isEqualTo("apk add --no-cache curl\napk add --no-cache python3=3.11*\n");
    }

    @Test
    void sayWhatIsMissingInOtherBases() throws Exception {
        base("plain", List.of(TestImages.busybox()));

        assertThat(build("none", "BASE plain\nBLOCK a\n    PKG curl\n"))
                .contains("[a] PKG needs apk or apt-get in the base image\n")
                .endsWith("\nBuild failed: block a: run [PKG curl]: exit status 1\n");
    }
}
