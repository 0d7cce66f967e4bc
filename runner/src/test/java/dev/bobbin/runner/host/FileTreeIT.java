package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.bobbin.runner.FileEntry;
import dev.bobbin.runner.FilesException;
import dev.bobbin.runner.FilesException.Reason;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.SandboxState;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Files of sandboxes from outside.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
class FileTreeIT {
    private static final int SIGTERM = 15;
    private static final long MIB = 1 << 20;
    private static final Limits SMALL = new Limits(64 * MIB, 0, 100, Duration.ofMinutes(1), MIB, 64 * MIB);

    @TempDir
    Path here;

    private TestHost host;

    @BeforeAll
    void open() throws Exception {
        host = TestHost.open(0);
    }

    @AfterAll
    void close() throws Exception {
        host.close();
    }

    @Test
    void writesAndReadsWhatProgramsSee() throws Exception {
        var sandbox = host.place().create();
        var files = sandbox.files();
        files.write("/srv/deep/file", 0640, stream("from outside\n"));
        assertThat(host.sh(sandbox, "cat /srv/deep/file; stat -c '%u %g %a' /srv/deep /srv/deep/file")
                        .stdout())
                .isEqualTo("from outside\n0 0 755\n0 0 640\n");
        host.sh(sandbox, "echo inside > /srv/in; chown 1000:1001 /srv/in; chmod 600 /srv/in; ln -s /srv/in /srv/link");
        assertThat(read(files, "/srv/link")).isEqualTo("inside\n");
        files.write("/srv/link", 0644, stream("changed"));
        assertThat(host.sh(sandbox, "cat /srv/in; stat -c ' %u %g %a' /srv/in; readlink /srv/link")
                        .stdout())
                .isEqualTo("changed 1000 1001 600\n/srv/in\n");
        var part = new ByteArrayOutputStream();
        files.read("/srv/in", 2, 3, part);
        assertThat(part.toString(StandardCharsets.UTF_8)).isEqualTo("ang");
        var entry = files.look("/srv/in");
        assertThat(entry.kind()).isEqualTo(FileEntry.Kind.FILE);
        assertThat(List.of(entry.uid(), entry.gid(), entry.mode())).containsExactly(1000, 1001, 0600);
        assertThat(entry.size()).isEqualTo(7);
        assertThat(files.look("/srv/link").target()).isEqualTo("/srv/in");
        assertThat(files.look("/").kind()).isEqualTo(FileEntry.Kind.DIRECTORY);
        TestHost.awaitNoExecs(sandbox);
        sandbox.remove();
    }

    @Test
    void listsMakesAndDeletes() throws Exception {
        var sandbox = host.place().create();
        var files = sandbox.files();
        files.makeDirectory("/srv/a/b", 0700);
        files.makeDirectory("/srv/a/b", 0700);
        files.write("/srv/a/new\nline \u00fc", 0644, stream("x"));
        host.sh(sandbox, "mkfifo /srv/a/pipe; ln -s nowhere /srv/a/dangling");
        var listed = files.list("/srv/a").stream()
                .sorted(Comparator.comparing(FileEntry::name))
                .toList();
        assertThat(listed).extracting(FileEntry::name).containsExactly("b", "dangling", "new\nline \u00fc", "pipe");
        assertThat(listed)
                .extracting(FileEntry::kind)
                .containsExactly(
                        FileEntry.Kind.DIRECTORY, FileEntry.Kind.LINK, FileEntry.Kind.FILE, FileEntry.Kind.PIPE);
        assertThat(reason(() -> files.delete("/srv/a"))).isEqualTo(Reason.NOT_EMPTY);
        files.delete("/srv/a/b");
        files.deleteTree("/srv/a");
        assertThat(reason(() -> files.list("/srv/a"))).isEqualTo(Reason.NOT_FOUND);
        sandbox.remove();
    }

    @Test
    void worksOnWhatDoesNotRun() throws Exception {
        var sandbox = host.place("sh", "-c", "echo started >> /root/starts; sleep 60")
                .name("stopped")
                .create();
        sandbox.stop(SIGTERM, Duration.ofSeconds(5));
        var ending = sandbox.ending().orElseThrow();
        var files = sandbox.files();
        assertThat(read(files, "/root/starts")).isEqualTo("started\n");
        files.write("/root/given", 0600, stream("while stopped"));
        assertThat(sandbox.state()).isEqualTo(SandboxState.STOPPED);
        assertThat(sandbox.ending()).contains(ending);
        assertThat(sandbox.start()).isEmpty();
        assertThat(host.sh(sandbox, "cat /root/given; cat /root/starts").stdout())
                .isEqualTo("while stoppedstarted\nstarted\n");
        sandbox.remove();
        assertThat(reason(() -> files.list("/"))).isEqualTo(Reason.UNAVAILABLE);
    }

    @Test
    void isRemovedWhileSomebodyWorksOnIt() throws Exception {
        var sandbox = host.place().create();
        sandbox.stop(SIGTERM, Duration.ofSeconds(5));
        var slow = new PipedOutputStream();
        var content = new PipedInputStream(slow);
        try (var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
            var writing = tasks.submit(() -> reason(() -> sandbox.files().write("/root/file", 0644, content)));
            slow.write(1);
            slow.flush();
            for (var i = 0; i < 200 && !sandbox.life().isVisited(); i++) {
                TimeUnit.MILLISECONDS.sleep(10);
            }
            var began = System.nanoTime();
            sandbox.remove();
            assertThat(System.nanoTime() - began).isLessThan(TimeUnit.SECONDS.toNanos(4));
            slow.close();
            assertThat(writing.get()).isEqualTo(Reason.UNAVAILABLE);
        }
    }

    @Test
    void saysWhatCannotBeDone() throws Exception {
        var sandbox = host.place().create();
        var files = sandbox.files();
        assertThat(reason(() -> read(files, "/no/such"))).isEqualTo(Reason.NOT_FOUND);
        assertThat(reason(() -> read(files, "/root"))).isEqualTo(Reason.IS_A_DIRECTORY);
        assertThat(reason(() -> files.list("/etc/passwd"))).isEqualTo(Reason.NOT_A_DIRECTORY);
        assertThat(reason(() -> files.write("/root", 0644, stream("x")))).isEqualTo(Reason.IS_A_DIRECTORY);
        assertThat(reason(() -> files.write("/usr/bin/new", 0644, stream("x")))).isEqualTo(Reason.FORBIDDEN);
        assertThat(reason(() -> files.write("/etc/passwd/x", 0644, stream("x"))))
                .isEqualTo(Reason.NOT_A_DIRECTORY);
        assertThat(reason(() -> files.list("relative"))).isEqualTo(Reason.INVALID);
        assertThat(reason(() -> files.list("/nul\0"))).isEqualTo(Reason.INVALID);
        host.sh(sandbox, "mkfifo /root/pipe; ln -s loop /root/loop");
        assertThat(reason(() -> read(files, "/root/pipe"))).isEqualTo(Reason.INVALID);
        assertThat(reason(() -> read(files, "/root/loop"))).isEqualTo(Reason.INVALID);
        assertThat(reason(() -> read(files, "/proc/self/root/etc/passwd"))).isEqualTo(Reason.INVALID);
        sandbox.remove();
    }

    @Test
    void neverLeavesTheSandbox() throws Exception {
        var secret = Files.writeString(here.resolve("secret"), "of the machine");
        var sandbox = host.place().create();
        var files = sandbox.files();
        host.sh(sandbox, "ln -s " + secret + " /root/out; ln -s ../../../../../.. /root/up; ln -s / /root/top");
        assertThat(reason(() -> read(files, "/root/out"))).isEqualTo(Reason.NOT_FOUND);
        assertThat(reason(() -> read(files, "/root/up" + secret))).isEqualTo(Reason.NOT_FOUND);
        assertThat(reason(() -> read(files, "/../../../../.." + secret))).isEqualTo(Reason.NOT_FOUND);
        files.write("/root/top/root/inside", 0644, stream("inside"));
        assertThat(read(files, "/root/inside")).isEqualTo("inside");
        try (var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
            var swapping = host.exec(
                            sandbox,
                            "sh",
                            "-c",
                            "cd /root; mkdir d; echo mine > d/secret; while :; do rm -rf d; ln -s " + here
                                    + " d; rm d; mkdir d; echo mine > d/secret; done")
                    .start();
            for (var i = 0; i < 100; i++) {
                try {
                    assertThat(read(files, "/root/d/secret")).isIn("mine\n", "");
                } catch (FilesException e) {
                    assertThat(e.reason()).isIn(Reason.NOT_FOUND, Reason.INVALID);
                }
            }
            tasks.submit(() -> swapping.cancel("api")).get();
            swapping.await();
        }
        assertThat(secret).hasContent("of the machine");
        sandbox.remove();
    }

    @Test
    void keepsTheFileWhenTheNewOneDoesNotFit() throws Exception {
        var sandbox = host.place().limits(SMALL).create();
        var files = sandbox.files();
        files.write("/root/file", 0644, stream("old"));
        assertThat(reason(() -> files.write("/root/file", 0644, zeros(1024 * MIB))))
                .isEqualTo(Reason.NO_SPACE);
        assertThat(read(files, "/root/file")).isEqualTo("old");
        assertThat(files.list("/root"))
                .extracting(FileEntry::name)
                .contains("file")
                .noneMatch(name -> name.contains("aside"));
        files.write("/root/large", 0644, zeros(40 * MIB));
        assertThat(reason(() -> files.write("/root/other", 0644, zeros(40 * MIB))))
                .isEqualTo(Reason.NO_SPACE);
        assertThat(host.sh(sandbox, "stat -c %s /root/large; ls -A /root").stdout())
                .startsWith(40 * MIB + "\n")
                .doesNotContain("other");
        sandbox.remove();
    }

    @Test
    void forgetsWhatIsBrokenOff() throws Exception {
        var sandbox = host.place().create();
        var files = sandbox.files();
        var broken = new SequenceInputStream(zeros(3_000_000), new InputStream() {
            @Override
            public int read() throws IOException {
                throw new IOException("the caller is gone");
            }

            @Override
            public int read(byte[] bytes, int from, int length) throws IOException {
                return read();
            }
        });
        var thrown = catchThrowableOfType(IOException.class, () -> files.write("/root/file", 0644, broken));
        assertThat(thrown).hasMessage("the caller is gone");
        assertThat(host.sh(sandbox, "ls -A /root").stdout()).isEmpty();
        TestHost.awaitNoExecs(sandbox);
        sandbox.remove();
    }

    @Test
    void carriesTreesDownAndUp() throws Exception {
        var sandbox = host.place().create();
        var files = sandbox.files();
        var long200 = "n".repeat(200);
        host.sh(
                sandbox,
                "mkdir -p /root/t/sub; cd /root/t; echo hello > file; chown 5:6 file; chmod 4711 file; ln -s file link;"
                        + " head -c 3000000 /dev/urandom > sub/large; : > " + long200
                        + "; touch -d @1000000000 sub/old;"
                        + " mkfifo pipe; ln file hard");
        var tar = new ByteArrayOutputStream();
        files.archive("/root/t", tar);
        var local = Files.write(here.resolve("t.tar"), tar.toByteArray());
        var names = new ProcessBuilder("tar", "tf", local.toString()).start();
        assertThat(new String(names.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines())
                .contains("t/", "t/file", "t/sub/large", "t/" + long200, "t/link", "t/pipe");
        assertThat(names.waitFor()).isZero();
        files.makeDirectory("/srv/copy", 0755);
        files.unpack("/srv/copy", new ByteArrayInputStream(tar.toByteArray()));
        var compared = host.sh(
                sandbox,
                "diff -r --no-dereference -x pipe /root/t /srv/copy/t && stat -c '%u %g %a %F' /srv/copy/t/file"
                        + " /srv/copy/t/pipe && stat -c %Y /srv/copy/t/sub/old && readlink /srv/copy/t/link");
        assertThat(compared.stdout())
                .as(compared.stderr())
                .isEqualTo("5 6 4711 regular file\n0 0 600 fifo\n1000000000\nfile\n");
        sandbox.remove();
    }

    @Test
    void refusesArchivesThatClimbOutOrAreBroken() throws Exception {
        var sandbox = host.place().create();
        var files = sandbox.files();
        var dir = Files.createDirectories(here.resolve("climb"));
        Files.writeString(dir.resolve("evil"), "x");
        var tar = here.resolve("climb.tar");
        assertThat(new ProcessBuilder("tar", "cPf", tar.toString(), "--transform", "s,^,../../root/,", "evil")
                        .directory(dir.toFile())
                        .start()
                        .waitFor())
                .isZero();
        try (var in = Files.newInputStream(tar)) {
            assertThat(reason(() -> files.unpack("/srv", in))).isEqualTo(Reason.INVALID);
        }
        var random = new byte[5000];
        new Random(1).nextBytes(random);
        assertThat(reason(() -> files.unpack("/srv", new ByteArrayInputStream(random))))
                .isEqualTo(Reason.INVALID);
        assertThat(reason(() -> files.unpack("/nowhere", Files.newInputStream(tar))))
                .isEqualTo(Reason.NOT_FOUND);
        assertThat(files.list("/srv")).isEmpty();
        assertThat(files.list("/root")).isEmpty();
        sandbox.remove();
    }

    @Test
    void isNotHeldUpByAProgramThatStopsEverything() throws Exception {
        var sandbox = host.place("sh", "-c", "while :; do kill -STOP -1; done").create();
        var began = System.nanoTime();
        try {
            assertThat(sandbox.files().list("/")).isNotEmpty();
        } catch (FilesException e) {
            assertThat(e.reason()).isEqualTo(Reason.UNAVAILABLE);
        }
        assertThat(System.nanoTime() - began).isLessThan(TimeUnit.SECONDS.toNanos(40));
        sandbox.remove();
    }

    private static Reason reason(ThrowingCallable work) {
        var thrown = catchThrowableOfType(FilesException.class, work);
        assertThat(thrown).isNotNull();
        return thrown.reason();
    }

    private static String read(FileTree files, String path) throws Exception {
        var bytes = new ByteArrayOutputStream();
        files.read(path, 0, Long.MAX_VALUE, bytes);
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private static InputStream stream(String text) {
        return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
    }

    private static InputStream zeros(long count) {
        return new InputStream() {
            private long left = count;

            @Override
            public int read() {
                return left-- > 0 ? 0 : -1;
            }

            @Override
            public int read(byte[] bytes, int from, int length) {
                var some = (int) Math.min(length, left);
                left -= some;
                return some == 0 ? -1 : some;
            }
        };
    }
}
