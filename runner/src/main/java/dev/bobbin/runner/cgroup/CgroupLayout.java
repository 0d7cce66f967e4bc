package dev.bobbin.runner.cgroup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Which controller is found where: each of `memory`, `cpu`, `cpuacct` and `pids` in a v1 hierarchy, in the v2 tree, or
/// nowhere. A hybrid machine has both kinds.
///
/// @param own for each controller found, the cgroup this process is in; in v2 it or one above (`UnifiedPlace`)
/// @param v2 those of the controllers that are in the v2 tree
/// @param spares likewise of v1's `cpuset` and `blkio`, which few jobs need
/// @param sparesOfV2 those of `cpuset` and `io` that the v2 tree could give to jobs
record CgroupLayout(Map<String, Path> own, List<String> v2, Map<String, Path> spares, List<String> sparesOfV2) {
    static final List<String> CONTROLLERS = List.of("memory", "cpu", "cpuacct", "pids");
    private static final List<String> SPARES = List.of("cpuset", "blkio");
    private static final List<String> SPARES_OF_V2 = List.of("cpuset", "io");

    CgroupLayout {
        own = new LinkedHashMap<>(own);
        v2 = List.copyOf(v2);
        spares = new LinkedHashMap<>(spares);
        sparesOfV2 = List.copyOf(sparesOfV2);
    }

    /// One with no more than every job needs.
    CgroupLayout(Map<String, Path> own, List<String> v2) {
        this(own, v2, Map.of(), List.of());
    }

    /// The layout of this machine as this process sees it.
    static CgroupLayout detect() throws IOException {
        return read(
                Path.of("/"),
                Files.readAllLines(Path.of("/proc/self/mountinfo")),
                Files.readAllLines(Path.of("/proc/self/cgroup")));
    }

    /// The layout that a `mountinfo` and a `cgroup` file of proc describe, with paths below `root`.
    static CgroupLayout read(Path root, List<String> mountinfo, List<String> memberships) throws IOException {
        var mounts = mountinfo.stream()
                .map(CgroupLayout::mount)
                .flatMap(Optional::stream)
                .toList();
        var own = new LinkedHashMap<String, Path>();
        var inV2 = new ArrayList<String>();
        var spares = new LinkedHashMap<String, Path>();
        for (var mount : mounts) {
            for (var controller : SPARES) {
                if (mount.v1 && mount.controllers.contains(controller)) {
                    spares.put(controller, mount.directory(root, membership(memberships, controller)));
                }
            }
        }
        for (var controller : CONTROLLERS) {
            for (var mount : mounts) {
                if (mount.v1 && mount.controllers.contains(controller)) {
                    own.put(controller, mount.directory(root, membership(memberships, controller)));
                }
            }
        }
        var sparesOfV2 = new ArrayList<String>();
        for (var mount : mounts) {
            if (mount.v1) {
                continue;
            }
            var top = mount.directory(root, mount.subtree);
            var wanted = new ArrayList<>(List.of("memory", "cpu", "pids"));
            wanted.removeAll(own.keySet());
            wanted.retainAll(UnifiedPlace.words(top.resolve("cgroup.controllers")));
            if (wanted.isEmpty()) {
                continue;
            }
            var place = UnifiedPlace.choose(mount.directory(root, membership(memberships, "")), top, wanted);
            for (var controller : wanted) {
                own.put(controller, place);
                inV2.add(controller);
            }
            sparesOfV2.addAll(UnifiedPlace.words(place.resolve("cgroup.controllers")));
            sparesOfV2.retainAll(SPARES_OF_V2);
        }
        return new CgroupLayout(own, inV2, spares, sparesOfV2);
    }

    /// The path that line `N:controllers:path` gives for `controller`; the v2 line has no controllers.
    private static String membership(List<String> lines, String controller) {
        for (var line : lines) {
            var parts = line.split(":", 3);
            if (parts.length == 3 && Arrays.asList(parts[1].split(",", -1)).contains(controller)) {
                return parts[2];
            }
        }
        return "/";
    }

    private static Optional<Mount> mount(String line) {
        var halves = line.split(" - ", 2);
        var left = halves[0].split(" ", -1);
        var right = halves.length < 2 ? new String[0] : halves[1].split(" ", -1);
        if (left.length < 5 || right.length < 3 || !right[0].startsWith("cgroup")) {
            return Optional.empty();
        }
        return Optional.of(
                new Mount(left[3], left[4], right[0].equals("cgroup"), Arrays.asList(right[2].split(",", -1))));
    }

    /// A mounted hierarchy; `subtree` is the part of it that the mount shows.
    private record Mount(String subtree, String point, boolean v1, List<String> controllers) {

        Path directory(Path root, String membership) {
            var mounted = root.resolve(Path.of("/").relativize(Path.of(point)));
            var inside = membership.startsWith(subtree) ? membership.substring(subtree.length()) : membership;
            var directory = mounted.resolve(inside.replaceFirst("^/+", "")).normalize();
            return Files.isDirectory(directory) ? directory : mounted;
        }
    }
}
