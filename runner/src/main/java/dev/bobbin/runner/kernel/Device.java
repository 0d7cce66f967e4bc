package dev.bobbin.runner.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;

/// A device as the kernel numbers it.
public record Device(long major, long minor) {
    private static final Path BLOCKS = Path.of("/sys/dev/block");

    /// The one that holds the file system on which `file` is.
    public static Device of(Path file) throws IOException {
        var number = ((Number) Files.getAttribute(file, "unix:dev")).longValue();
        return new Device(
                ((number >>> 8) & 0xfff) | ((number >>> 32) & ~0xfffL), (number & 0xff) | ((number >>> 12) & 0xfff00));
    }

    /// The whole disks on which these directories are, as `MAJOR:MINOR`. What is on none, as in memory, has no part in
    /// that.
    public static List<String> disks(List<Path> directories) throws IOException {
        var disks = new LinkedHashSet<String>();
        for (var directory : directories) {
            var device = BLOCKS.resolve(of(directory).toString());
            if (Files.exists(device)) {
                var place = device.toRealPath();
                var isPart = Files.exists(place.resolve("partition"));
                disks.add(Files.readString(isPart ? place.resolveSibling("dev") : place.resolve("dev"))
                        .strip());
            }
        }
        return new ArrayList<>(disks);
    }

    @Override
    public String toString() {
        return major + ":" + minor;
    }
}
