package dev.bobbin.runner.quota;

import dev.bobbin.runner.kernel.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// A file system as `/proc/self/mountinfo` tells of it.
///
/// @param type the kernel's name of it
/// @param options those of the file system, not of one mount of it
record FileSystem(String type, List<String> options) {
    FileSystem {
        options = List.copyOf(options);
    }

    /// The one that `directory` is on.
    static FileSystem of(Path directory) throws IOException {
        return of(
                Files.readAllLines(Path.of("/proc/self/mountinfo")),
                Device.of(directory).toString());
    }

    /// @param device its numbers, as `mountinfo` has them; btrfs, which has others in each place, is not found
    static FileSystem of(List<String> mountinfo, String device) {
        for (var line : mountinfo) {
            var halves = line.split(" - ", 2);
            var right = halves.length == 2 ? halves[1].split(" ", -1) : new String[0];
            if (right.length >= 3 && halves[0].split(" ", -1)[2].equals(device)) {
                return new FileSystem(right[0], Arrays.asList(right[2].split(",", -1)));
            }
        }
        return new FileSystem("unknown", List.of());
    }

    /// Whether it was mounted so; only then is it worth to ask the kernel, for which much must be loaded.
    boolean mayKeepQuotas() {
        return options.contains("prjquota") || options.contains("pquota");
    }
}
