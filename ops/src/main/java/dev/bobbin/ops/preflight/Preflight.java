package dev.bobbin.ops.preflight;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/// Looks at the machine before a start. Reads `/proc` and `/sys` only, so it takes a millisecond or two.
public final class Preflight {
    private static final int CAP_SYS_ADMIN = 21;
    /// The oldest kernel that was tried (`runner/src/test/v2`). It must have overlays of idmapped layers (5.19).
    private static final int MAJOR = 6;

    private static final int MINOR = 1;
    private static final Pattern RELEASE = Pattern.compile("(\\d+)\\.(\\d+).*");
    private static final List<String> CONTROLLERS = List.of("cpu", "memory", "pids");

    private final Path root;

    /// @param root where `/proc`, `/sys` and `/lib` are found; `/` but in tests
    public Preflight(Path root) {
        this.root = root;
    }

    /// One sentence for each thing that is missing; empty if a server can start.
    public List<String> missing() {
        var missing = new ArrayList<String>();
        checkRights(missing);
        checkKernel(missing);
        checkOverlay(missing);
        checkUserNamespaces(missing);
        return missing;
    }

    /// One sentence for each limit that could not be kept here.
    public List<String> missingLimits() {
        var missing = new ArrayList<String>();
        checkCgroups(missing);
        return missing;
    }

    /// The same as findings, each with what is well.
    ///
    /// @param mayLackLimits whether limits that this machine cannot keep are accepted
    public List<Finding> findings(boolean mayLackLimits) {
        var release = String.join("", lines("proc/sys/kernel/osrelease"));
        return List.of(
                finding("host-rights", "root with CAP_SYS_ADMIN", this::checkRights, false),
                finding("host-kernel", "Linux " + release, this::checkKernel, false),
                finding("host-overlay", "the kernel has overlays", this::checkOverlay, false),
                finding("host-users", "the kernel has user namespaces", this::checkUserNamespaces, false),
                finding("host-cgroups", "cpu, memory and pids can be limited", this::checkCgroups, mayLackLimits));
    }

    private static Finding finding(String check, String good, Consumer<List<String>> look, boolean accepted) {
        var missing = new ArrayList<String>();
        look.accept(missing);
        if (missing.isEmpty()) {
            return Finding.pass(check, good);
        }
        var sentences = String.join(" ", missing);
        var colon = sentences.lastIndexOf(": ");
        var reason = colon < 0 ? sentences : sentences.substring(0, colon);
        var fix = colon < 0 ? "what the reason says" : sentences.substring(colon + 2);
        return accepted ? Finding.degraded(check, reason, fix) : Finding.fail(check, reason, fix);
    }

    /// Makes `directory` for this user alone, or says in a sentence why it cannot be used.
    public List<String> makeDirectory(Path directory, String flag) {
        try {
            Files.createDirectories(
                    directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            if (Files.isWritable(directory)) {
                return List.of();
            }
        } catch (IOException _) {
            // said below
        }
        return List.of(
                "The directory " + directory + " cannot be made or written; name another one with " + flag + ".");
    }

    private void checkRights(List<String> missing) {
        var status = lines("proc/self/status");
        var effective = status.stream()
                .filter(line -> line.startsWith("CapEff:"))
                .map(line -> Long.parseUnsignedLong(
                        line.substring("CapEff:".length()).strip(), 16))
                .findFirst()
                .orElse(0L);
        var uid = status.stream()
                .filter(line -> line.startsWith("Uid:"))
                .map(line -> line.split("\\s+", -1)[2])
                .findFirst()
                .orElse("");
        if (!uid.equals("0")) {
            missing.add("Bobbin needs root to make sandboxes: start it with sudo or as a system service.");
        } else if ((effective >> CAP_SYS_ADMIN & 1) == 0) {
            missing.add(
                    "This root may not make sandboxes (it lacks CAP_SYS_ADMIN): start the container that Bobbin runs"
                            + " in with --privileged.");
        }
    }

    private void checkKernel(List<String> missing) {
        var release = String.join("", lines("proc/sys/kernel/osrelease"));
        var matcher = RELEASE.matcher(release);
        if (!matcher.matches()) {
            missing.add("Bobbin needs Linux " + MAJOR + "." + MINOR + " or newer; this does not look like Linux.");
            return;
        }
        var major = Integer.parseInt(matcher.group(1));
        var minor = Integer.parseInt(matcher.group(2));
        if (major < MAJOR || (major == MAJOR && minor < MINOR)) {
            missing.add(
                    "Bobbin needs Linux " + MAJOR + "." + MINOR + " or newer (overlays of idmapped layers); this is "
                            + release + ": install a newer kernel, for example from the distribution's backports.");
        }
    }

    private void checkOverlay(List<String> missing) {
        var release = String.join("", lines("proc/sys/kernel/osrelease"));
        var loaded = lines("proc/filesystems").stream().anyMatch(line -> line.endsWith("\toverlay"));
        if (!loaded && !Files.isDirectory(root.resolve("lib/modules/" + release + "/kernel/fs/overlayfs"))) {
            missing.add("The kernel has no overlay file system: build it with CONFIG_OVERLAY_FS, or run"
                    + " \"modprobe overlay\".");
        }
    }

    private void checkUserNamespaces(List<String> missing) {
        if (!Files.exists(root.resolve("proc/self/ns/user"))) {
            missing.add("The kernel has no user namespaces: build it with CONFIG_USER_NS.");
        } else if (lines("proc/sys/user/max_user_namespaces").equals(List.of("0"))) {
            missing.add("User namespaces are switched off: run \"sysctl user.max_user_namespaces=15000\".");
        }
    }

    /// Controllers may sit in version 1, in version 2, or some here and some there.
    private void checkCgroups(List<String> missing) {
        var writable = new TreeSet<String>();
        var readOnly = new TreeSet<String>();
        for (var line : lines("proc/self/mountinfo")) {
            var halves = line.split(" - ", 2);
            if (halves.length == 2 && halves[1].startsWith("cgroup")) {
                var mount = halves[0].split(" ", -1);
                var superblock = halves[1].split(" ", -1);
                var offered = superblock[0].equals("cgroup2")
                        ? List.of(String.join(" ", lines(mount[4].substring(1) + "/cgroup.controllers"))
                                .split(" ", -1))
                        : List.of(superblock[2].split(",", -1));
                (List.of(mount[5].split(",", -1)).contains("ro") ? readOnly : writable).addAll(offered);
            }
        }
        for (var controller : CONTROLLERS) {
            if (writable.contains(controller)) {
                continue;
            }
            missing.add(
                    readOnly.contains(controller)
                            ? "The cgroup controller \"" + controller
                                    + "\" is mounted read-only here: start the container"
                                    + " that Bobbin runs in with --privileged."
                            : "The cgroup controller \"" + controller + "\" is missing, so its limit could not be kept:"
                                    + " mount cgroup version 2, and take cgroup_disable off the kernel's command line.");
        }
    }

    private List<String> lines(String path) {
        try {
            return Files.readAllLines(root.resolve(path));
        } catch (IOException _) {
            return List.of();
        }
    }
}
