package dev.bobbin.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.image.TestImages;
import dev.bobbin.image.store.TestRegistry;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The commands for images as a person uses them, each a process of its own, with a real registry.
@Timeout(90)
final class ImageCommandsIT extends TypedCommands {
    private TestRegistry registry;
    private String image = "";

    @BeforeEach
    void open() throws Exception {
        registry = TestRegistry.start(directory.resolve("registry"));
        var layout = Files.createDirectories(directory.resolve("layout"));
        TestImages.layout(
                layout, "one", TestImages.config("/bin/echo", "from the image"), List.of(TestImages.busybox()));
        image = registry.host() + "/demo/one:1";
        TestRegistry.skopeo("oci:" + layout + ":one", "docker://" + image);
    }

    @AfterEach
    void close() throws Exception {
        end();
        registry.close();
    }

    @Test
    void keepsImagesWithoutAServer() throws Exception {
        var pulled = bobbin("pull", image);

        assertThat(pulled.code()).as(pulled.err()).isZero();
        assertThat(pulled.out()).startsWith(image + " sha256:");
        assertThat(pulled.err()).contains("asking for " + image, " unpacked\n").doesNotContain("\r");
        assertThat(bobbin("run", "--image", image, "--pull", "never")).isEqualTo(new Result(0, "from the image\n", ""));
        assertThat(bobbin("images", "-q").out()).isEqualTo("host\n" + image + "\n");
    }

    @Test
    void goesThroughTheLifeOfAnImageOnAServer() throws Exception {
        serve();

        assertThat(bobbin("run", "--image", image)).isEqualTo(new Result(0, "from the image\n", ""));
        assertThat(bobbin("pull", "-q", image).err()).isEmpty();
        assertThat(bobbin("tag", image, "two").code()).isZero();
        assertThat(bobbin("inspect", "two").out()).contains("\"names\":[", "\"layers\":[");
        var there = registry.host() + "/other/two:2";
        assertThat(bobbin("push", "-q", "two", there).out()).isEqualTo(there + "\n");
        assertThat(TestRegistry.run("skopeo", "inspect", "--tls-verify=false", "docker://" + there))
                .contains("other/two");
        var file = directory.resolve("two.tar");
        assertThat(bobbin("save", "-o", file.toString(), "two").code()).isZero();
        assertThat(directory.resolve("two.tar.part")).doesNotExist();
        assertThat(TestRegistry.run("skopeo", "inspect", "oci-archive:" + file)).contains("Layers");
        assertThat(bobbin("rmi", "two", "nothing", image))
                .satisfies(result -> assertThat(result.code()).isEqualTo(1))
                .satisfies(result ->
                        assertThat(result.err()).contains("\"nothing\"").hasLineCount(1));
        assertThat(bobbin("images").out()).contains("host").doesNotContain("two");
        assertThat(bobbin("load", "-i", file.toString()).out()).startsWith("docker.io/library/two:latest ");
        assertThat(shell(line("save", "--format", "docker", "two") + " | " + line("load"))
                        .out())
                .startsWith("docker.io/library/two:latest ");
        assertThat(bobbin("run", "--image", "two", "--pull", "never").out()).isEqualTo("from the image\n");
        assertThat(bobbin("prune", "--unused-for", "0s").out())
                .contains("removed docker.io/library/two:latest", "freed ");
    }

    @Test
    void savesToDirectoriesAndLoadsFromThoseOfOthers() throws Exception {
        serve();
        assertThat(bobbin("pull", "-q", image).code()).isZero();
        var ours = directory.resolve("ours");
        var theirs = directory.resolve("theirs");

        assertThat(bobbin("save", "--format", "oci-dir", "-o", ours + "/", image))
                .isEqualTo(new Result(0, "", ""));

        assertThat(TestRegistry.run("skopeo", "inspect", "oci:" + ours)).contains("Layers");
        TestRegistry.skopeo("oci:" + ours + ":" + image, "oci:" + theirs + ":copied");
        assertThat(bobbin("load", "-i", theirs.toString()).out()).startsWith("loaded:copied sha256:");
        assertThat(bobbin("rmi", image).code()).isZero();
        assertThat(bobbin("load", "-i", ours.toString()).out()).startsWith(image + " sha256:");
        for (var name : List.of(image, "loaded:copied")) {
            assertThat(bobbin("run", "--image", name, "--pull", "never"))
                    .isEqualTo(new Result(0, "from the image\n", ""));
        }
        assertRefused(bobbin("save", "--format", "oci-dir", "-o", ours.toString(), image), 1, "ours is not empty");
        assertRefused(bobbin("save", "-o", ours.toString(), image), 1, "--format oci-dir");
        assertRefused(bobbin("save", "--format", "oci-dir", image), 2, "needs a directory");
        var never = directory.resolve("never");
        assertRefused(bobbin("save", "--format", "oci-dir", "-o", never.toString(), "nothing"), 1, "\"nothing\"");
        assertThat(never).doesNotExist();
        assertThat(directory.resolve("never.part")).doesNotExist();
        assertRefused(bobbin("load", "-i", directory.resolve("registry").toString()), 1, "it has no index.json");
    }

    @Test
    void passesStandardInputOnBehindThePull() throws Exception {
        serve();

        var result = shell("echo through | " + line("run", "--stdin", "--image", image, "--", "cat"));

        assertThat(result.out()).isEqualTo("through\n");
    }

    @Test
    void drawsABarOnATerminalAndSavesNothingToIt() throws Exception {
        serve();

        var pull = shell("script -qec '" + line("pull", image) + "' /dev/null </dev/null");
        var save = shell("script -qec '" + line("save", image) + "' /dev/null </dev/null");

        assertThat(pull.out()).contains("\r", " layers ready", image + " sha256:");
        assertThat(save.code()).isEqualTo(2);
        assertThat(save.out()).contains("an archive is not for a terminal");
    }

    @Test
    void saysInOneLineWhatCannotBeDone() throws Exception {
        serve();

        var unknown = registry.host() + "/demo/nothing:1";
        assertRefused(bobbin("pull", "-q", unknown), 1, "demo/nothing");
        assertRefused(bobbin("run", "--image", unknown, "--", "true"), 125, "demo/nothing");
        assertRefused(bobbin("run", "--image", image, "--pull", "never", "--", "true"), 125, "there is no image");
        assertRefused(bobbin("run", "--pull", "sometimes", "--", "true"), 125, "missing");
        assertRefused(bobbin("save", "nothing"), 1, "\"nothing\"");
        assertRefused(bobbin("load", "-i", "/nowhere"), 1, "/nowhere");
        assertRefused(bobbin("load", "-i", "/etc/passwd"), 1, "archive");
        assertRefused(bobbin("pull", "host"), 1, "this machine itself");
        assertThat(bobbin("pull").code()).isEqualTo(2);
    }

    private static void assertRefused(Result result, int code, String reason) {
        assertThat(result.code()).as(result.err()).isEqualTo(code);
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).startsWith("bobbin: ").contains(reason).hasLineCount(1);
    }
}
