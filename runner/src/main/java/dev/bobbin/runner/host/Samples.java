package dev.bobbin.runner.host;

import dev.bobbin.runner.Sample;
import dev.bobbin.runner.cgroup.Cgroups;
import dev.bobbin.runner.quota.Projects;
import dev.bobbin.runner.sandbox.SandboxRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

/// What sandboxes use now.
final class Samples {
    /* Bytes of disks are counted by process: neither a v1 hierarchy nor a v2 controller for them is needed, each of which
     * would cost every start, and v1 would not count what the page cache writes later. A process that is waited for adds
     * what it had to its parent, so PID 1 has those of all that are gone. */

    private static final Path PROC = Path.of("/proc");

    private Samples() {}

    static Sample take(Cgroups cgroups, Projects projects, SandboxRecord record) throws IOException {
        var sample = cgroups.sample(record.spec().id().toString());
        var pidOne = record.pid();
        return new Sample(
                Instant.now(),
                sample.cpu(),
                sample.memory(),
                sample.pids(),
                block(PROC, pidOne, sample.processes()),
                network(Files.readAllLines(PROC.resolve(pidOne + "/net/dev"))),
                projects.used(record.project())
                        .map(use -> new Sample.Disk(use.bytes(), use.inodes()))
                        .orElse(new Sample.Disk(-1, -1)));
    }

    static Sample.Traffic block(Path proc, int pidOne, List<Long> processes) {
        var one = Integer.toString(pidOne);
        var gone = io(proc.resolve(one).resolve("io"));
        var own = io(proc.resolve(one).resolve("task").resolve(one).resolve("io"));
        if (gone.inBytes() < 0 || own.inBytes() < 0) {
            return new Sample.Traffic(-1, -1);
        }
        var in = gone.inBytes() - own.inBytes();
        var out = gone.outBytes() - own.outBytes();
        for (var process : processes) {
            var more = io(proc.resolve(process + "/io"));
            in += Math.max(0, more.inBytes());
            out += Math.max(0, more.outBytes());
        }
        return new Sample.Traffic(in, out);
    }

    /// What a file of lines `KEY: NUMBER` says; -1 if it cannot be read, as when the process ended at this moment.
    private static Sample.Traffic io(Path file) {
        try {
            var in = -1L;
            var out = -1L;
            for (var line : Files.readAllLines(file)) {
                var colon = line.indexOf(": ");
                switch (line.substring(0, Math.max(0, colon))) {
                    case "read_bytes" -> in = Long.parseLong(line.substring(colon + 2));
                    case "write_bytes" -> out = Long.parseLong(line.substring(colon + 2));
                    default -> {}
                }
            }
            return new Sample.Traffic(in, out);
        } catch (IOException _) {
            return new Sample.Traffic(-1, -1);
        }
    }

    /// The sum of what `/proc/PID/net/dev` says of each interface but the one to itself.
    static Sample.Traffic network(List<String> lines) {
        var in = 0L;
        var out = 0L;
        for (var line : lines) {
            var colon = line.indexOf(':');
            if (colon < 0 || line.substring(0, colon).strip().equals("lo")) {
                continue;
            }
            var numbers = line.substring(colon + 1).strip().split(" +", -1);
            in += Long.parseLong(numbers[0]);
            out += Long.parseLong(numbers[8]);
        }
        return new Sample.Traffic(in, out);
    }
}
