package dev.bobbin.scheduler.http.minibox;

import dev.bobbin.image.Tools;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Programs of this machine as a layer, with the libraries that they need, so that real ones run in a test's images.
final class HostPrograms {
    private HostPrograms() {}

    /// A tar archive of them.
    ///
    /// @param directory for what is only there meanwhile
    /// @param paths whole ones; of programs that need libraries, and of other files
    static byte[] layer(Path directory, String... paths) throws IOException, InterruptedException {
        var archive = directory.resolve("programs.tar");
        Tools.shell("""
                for path in %s; do
                    echo $path
                    ldd $path 2>/dev/null | grep -o '/[^ )]*' || true
                done | sort -u | sed s,^/,, | tar -C / -chf %s --owner=0 --group=0 -T -
                """.formatted(String.join(" ", paths), archive));
        return Files.readAllBytes(archive);
    }
}
