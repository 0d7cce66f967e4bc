package dev.bobbin.runner.escape;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Descriptors of the server's and of PID 1's, and the directory that a job begins in.
class DescriptorsIT extends Attacked {
    @Test
    void areThreeWhateverTheServerHolds() throws Exception {
        var held = new ArrayList<InputStream>();
        try {
            for (var i = 0; i < 2000; i++) {
                held.add(Files.newInputStream(Path.of("/dev/null")));
            }
            var sandbox = host.place().probe().workdir("/w").create();
            // `ls` itself holds the directory that it lists
            for (var i = 0; i < 3; i++) {
                assertThat(host.sh("ls /proc/self/fd | tr '\\n' ' '").stdout()).isEqualTo("0 1 2 3 ");
                assertThat(host.sh(sandbox, "ls /proc/self/fd | tr '\\n' ' '").stdout())
                        .isEqualTo("0 1 2 3 ");
            }
            var terminal =
                    host.exec(sandbox, "ls", "/proc/self/fd").terminal(24, 80).run();
            assertThat(terminal.stdout().split("\\s+", -1)).containsExactly("0", "1", "2", "3", "");
        } finally {
            for (var each : held) {
                each.close();
            }
        }
    }

    @Test
    void areNoWayToAWorkingDirectoryOutside() throws Exception {
        // CVE-2024-21626: the number of one that was left open
        var sandbox = host.place().create();
        for (var number = 0; number < 24; number++) {
            host.sh(sandbox, "ln -s /proc/self/fd/" + number + " /to" + number);
            var result = host.exec(sandbox, "pwd").workdir("/to" + number).run();
            assertThat(result.cause()).as("%d %s", number, result).isEqualTo("sandbox_error");
        }
    }

    /// Of a process that is still being made these lead to directories, so only the refusal of such links stops them.
    @Test
    void areNotFollowedByTheLinksOfProcEither() throws Exception {
        var sandbox = host.place().create();
        for (var link : List.of("cwd", "root", "fd/..")) {
            host.sh(sandbox, "rm -f /to; ln -s /proc/self/" + link + " /to");
            var result = host.exec(sandbox, "pwd").workdir("/to").run();
            var followed = link.equals("fd/.."); // no link of the kernel's own making: a directory as any other
            assertThat(result.cause()).as("%s %s", link, result).isEqualTo(followed ? "exited" : "sandbox_error");
        }
    }
}
