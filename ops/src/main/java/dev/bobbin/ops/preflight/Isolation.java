package dev.bobbin.ops.preflight;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Judges what a process saw and could do from within, of a sandbox of ours or of any other container.
public final class Isolation {
    /* One method for each check; each gives what is wrong, empty if nothing is. */

    private static final List<String> NAMESPACES = List.of("pid", "mnt", "ipc", "uts", "net", "cgroup", "user");
    /// CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE SYS_CHROOT
    private static final long CAPABILITIES = 0x405fb;

    private static final List<String> CAPABILITY_NAMES =
            List.of(("CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE"
                            + " NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO"
                            + " SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME"
                            + " SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN"
                            + " SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE")
                    .split(" ", -1));

    private static final Set<String> REFUSALS = Set.of(
            "EPERM",
            "EACCES",
            "EROFS",
            "ENOSYS",
            "EPROTONOSUPPORT",
            "EAFNOSUPPORT",
            "ENOSPC",
            "ENETUNREACH",
            "EADDRNOTAVAIL");

    private static final List<String> HIDDEN = paths(
            "/proc/",
            "acpi asound interrupts kcore key-users keys kmsg latency_stats sched_debug scsi timer_list timer_stats");
    private static final List<String> HIDDEN_SYS = paths("/sys/", "firmware devices/virtual/powercap");
    private static final Pattern HIDDEN_OF_PROCESSOR =
            Pattern.compile("/sys/devices/system/cpu/cpu\\d+/thermal_throttle");
    private static final List<String> READ_ONLY = paths(
            "/proc/",
            "bus fs irq sys sysrq-trigger sys/kernel/core_pattern sys/kernel/modprobe sys/vm/overcommit_memory"
                    + " sys/kernel/hostname sys/net/ipv4/ip_forward");
    private static final List<String> READ_ONLY_SYS =
            paths("/sys", " /kernel /kernel/uevent_helper /fs/cgroup /power/state");
    private static final List<String> OF_INIT = paths("/proc/1/", "root cwd exe environ mem maps fd/0 ns/mnt");
    private static final List<String> TO_INIT = paths("/proc/1/", "oom_score_adj clear_refs mem");
    private static final Set<String> DEVICES = Set.of(
            "null zero full random urandom tty ptmx pts shm mqueue console core fd stdin stdout stderr".split(" ", -1));
    private static final Pattern MAPPED = Pattern.compile("\\s*0\\s+(\\d+)\\s+(\\d+)\\s*");
    private static final long OPEN_FILES = 65536;

    private final Facts seen;
    private final @Nullable Facts neighbour;
    private final Map<String, String> machine;
    private final String hostName;

    /// @param neighbour seen at the same time in another sandbox, if there was one
    /// @param machine the machine's own namespaces, by name
    /// @param hostName the machine's
    public Isolation(Facts seen, @Nullable Facts neighbour, Map<String, String> machine, String hostName) {
        this.seen = seen;
        this.neighbour = neighbour;
        this.machine = Map.copyOf(machine);
        this.hostName = hostName;
    }

    private static List<String> paths(String directory, String names) {
        return Stream.of(names.split(" ", -1)).map(name -> directory + name).toList();
    }

    /// All checks, always in the same order.
    public List<Finding> judge() {
        var findings = new ArrayList<Finding>();
        findings.add(finding("namespaces", "its own " + String.join(", ", NAMESPACES), namespaces()));
        findings.add(finding("user-namespace", "root inside is nobody outside", userNamespace()));
        findings.add(finding("no-new-privileges", "no program gains rights", noNewPrivileges()));
        findings.add(finding("capabilities", "ten at most, none ambient or inheritable", capabilities()));
        findings.add(finding("seccomp", "system calls are filtered", seccomp()));
        findings.add(attempts(
                "system-calls",
                "io_uring userfaultfd bpf perf_event_open finit_module kexec_load reboot swapon clock_settime"
                        + " sethostname syslog open_by_handle_at kcmp personality"));
        findings.add(attempts(
                "foreign-calls",
                "i386-vsock i386-socketcall-vsock i386-mount i386-keyctl i386-unshare i386-io_uring x32-keyctl"));
        findings.add(attempts("keyrings", "keyctl add_key request_key"));
        findings.add(attempts("sockets", "vsock alg packet raw audit uevent"));
        findings.add(attempts(
                "mounts",
                "mount-tmpfs mount-proc mount-cgroup mount-cgroup2 bind remount umount fsopen open_tree pivot_root"));
        findings.add(attempts(
                "new-namespaces",
                "unshare-user unshare-mount unshare-net unshare-cgroup clone-user clone3-user mount-as-new-root setns"
                        + " setns-pidfd"));
        findings.add(attempts("terminals", "tiocsti tiocsti-wide"));
        findings.add(finding("masked-paths", "nothing of the machine is read", masked()));
        findings.add(finding("read-only-paths", "nothing of the machine is written", readOnly()));
        findings.add(finding("devices", "the usual ones on a tmpfs, none can be made", devices()));
        findings.add(finding("descriptors", "0, 1 and 2 only, none a directory", descriptors()));
        findings.add(finding("working-directory", "within its root", workingDirectory()));
        findings.add(finding("propagation", "no mount is shared", propagation()));
        findings.add(finding("cgroups", "none to be written, none of the machine's seen", cgroups()));
        findings.add(init());
        findings.add(finding("resource-limits", "no core dumps, bounded open files", resourceLimits()));
        findings.add(attempts("oom-score", "oom-score"));
        findings.add(finding("host-name", "not the machine's", name()));
        findings.add(finding("network", "no interface but its own loopback, no route", network()));
        return findings;
    }

    private static Finding finding(String check, String good, List<String> wrong) {
        return wrong.isEmpty()
                ? Finding.pass(check, good)
                : Finding.fail(check, String.join("; ", wrong), Remedies.of(check));
    }

    /// That each of these was refused.
    private Finding attempts(String check, String names) {
        if (!seen.triedAnything()) {
            return Finding.fail(check, "nothing was tried in the machine's own process namespace", Remedies.of(check));
        }
        var answers = Stream.of(names.split(" ", -1))
                .filter(name -> seen.attempt(name).isPresent())
                .toList();
        if (answers.isEmpty()) {
            return Finding.skipped(check, "this kind of machine has none");
        }
        return finding(check, answers.size() + " attempts refused", notRefused(answers));
    }

    /// A filter may kill, and a kernel may be without an older ABI's way in.
    private static boolean isRefused(String name, String answer) {
        return REFUSALS.contains(answer) || answer.equals("SYS") || (answer.equals("SEGV") && name.startsWith("i386-"));
    }

    private List<String> notRefused(List<String> names) {
        return names.stream()
                .filter(name -> !isRefused(name, seen.attempt(name).orElse("EPERM")))
                .map(name -> name + ": " + seen.attempt(name).orElse(""))
                .toList();
    }

    private List<String> namespaces() {
        var wrong = new ArrayList<String>();
        var ours = seen.links("/proc/self/ns/");
        var theirs = neighbour == null ? Map.<String, String>of() : neighbour.links("/proc/self/ns/");
        for (var name : NAMESPACES) {
            var own = ours.get(name);
            if (own == null) {
                wrong.add("its " + name + " namespace is not seen");
            } else if (own.equals(machine.get(name))) {
                wrong.add("the machine's " + name + " namespace");
            } else if (own.equals(theirs.get(name))) {
                wrong.add("another sandbox's " + name + " namespace");
            }
        }
        return wrong;
    }

    private List<String> userNamespace() {
        var wrong = new ArrayList<String>();
        for (var map : List.of("/proc/self/uid_map", "/proc/self/gid_map")) {
            var base = base(seen, map);
            if (base < 0) {
                wrong.add(map.substring(11) + " is not one range from 0: " + seen.text(map));
            } else if (base < 65536) {
                wrong.add(map.substring(11) + " begins at the machine's " + base);
            } else if (neighbour != null && Math.abs(base - base(neighbour, map)) < 65536) {
                wrong.add(map.substring(11) + " overlaps another sandbox's");
            }
        }
        return wrong;
    }

    private static long base(Facts facts, String map) {
        var lines = facts.text(map);
        var matcher = MAPPED.matcher(lines.size() == 1 ? lines.getFirst() : "");
        return matcher.matches() ? Long.parseLong(matcher.group(1)) : -1;
    }

    private List<String> noNewPrivileges() {
        return seen.status("NoNewPrivs").equals("1") ? List.of() : List.of("a setuid program gains its owner's rights");
    }

    private List<String> capabilities() {
        var wrong = new ArrayList<String>();
        for (var mask : List.of("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")) {
            var text = seen.status(mask);
            if (text.isEmpty()) {
                wrong.add(mask + " is not seen");
                continue;
            }
            var allowed = mask.equals("CapInh") || mask.equals("CapAmb") ? 0 : CAPABILITIES;
            var more = Long.parseUnsignedLong(text, 16) & ~allowed;
            if (more != 0) {
                wrong.add(mask + " also has " + names(more));
            }
        }
        return wrong;
    }

    private static String names(long mask) {
        var names = new ArrayList<String>();
        for (var bit = 0; bit < 64; bit++) {
            if ((mask >>> bit & 1) != 0) {
                names.add(bit < CAPABILITY_NAMES.size() ? CAPABILITY_NAMES.get(bit) : Integer.toString(bit));
            }
        }
        return String.join(" ", names);
    }

    private List<String> seccomp() {
        return seen.status("Seccomp").equals("2") ? List.of() : List.of("every system call is let through");
    }

    private List<String> masked() {
        return Stream.of(HIDDEN, HIDDEN_SYS, seen.places(HIDDEN_OF_PROCESSOR))
                .flatMap(List::stream)
                .filter(path -> !seen.place(path).hidden())
                .map(path -> path + " is read")
                .toList();
    }

    private List<String> readOnly() {
        return Stream.concat(READ_ONLY.stream(), READ_ONLY_SYS.stream())
                .filter(path -> seen.place(path).writable())
                .map(path -> path + " is written")
                .toList();
    }

    private List<String> devices() {
        var wrong = new ArrayList<String>();
        seen.devices().forEach((name, kind) -> {
            if (!DEVICES.contains(name) || kind.startsWith("block")) {
                wrong.add("/dev/" + name);
            }
        });
        if (mounts().noneMatch(
                        mount -> mount.point().equals("/dev") && mount.type().equals("tmpfs"))) {
            wrong.add("/dev is no tmpfs");
        }
        wrong.addAll(notRefused(List.of("mknod-mem", "mknod-disk")));
        for (var path : List.of("/dev/kmsg", "/dev/mem")) {
            if (!seen.place(path).absent()) {
                wrong.add(path + " is there");
            }
        }
        return wrong;
    }

    private List<String> descriptors() {
        var wrong = new ArrayList<String>();
        seen.links("/proc/self/fd/").forEach((number, target) -> {
            if (!Set.of("0", "1", "2").contains(number)) {
                wrong.add(number + " is " + target);
            } else if (target.startsWith("/") && !target.startsWith("/dev/")) {
                wrong.add(number + " is the file " + target);
            }
        });
        return wrong;
    }

    private List<String> workingDirectory() {
        var directory = seen.link("/proc/self/cwd").orElse("not seen");
        return directory.startsWith("/") ? List.of() : List.of(directory);
    }

    private List<String> propagation() {
        return mounts().filter(mount ->
                        mount.options().contains("shared:") || mount.options().contains("master:"))
                .map(mount -> mount.point() + " is " + mount.options())
                .toList();
    }

    private List<String> cgroups() {
        var wrong = new ArrayList<String>();
        mounts().filter(mount -> mount.type().startsWith("cgroup"))
                .filter(mount -> mount.flags().startsWith("rw"))
                .forEach(mount -> wrong.add(mount.point() + " is mounted to be written"));
        seen.text("/proc/self/cgroup").stream()
                .filter(line -> !line.endsWith(":/"))
                .forEach(line -> wrong.add("its place is told: " + line));
        return wrong;
    }

    private Finding init() {
        if (seen.status("Pid").equals("1")) {
            return Finding.skipped("init", "it is process 1 itself");
        }
        var wrong = new TreeSet<String>();
        for (var path : OF_INIT) {
            if (seen.place(path).reading().equals("data")
                    || seen.place(path).reading().equals("empty")) {
                wrong.add(path + " is read");
            }
        }
        for (var path : TO_INIT) {
            if (seen.place(path).writable()) {
                wrong.add(path + " is written");
            }
        }
        wrong.addAll(notRefused(List.of(
                "trace-init", "seize-init", "read-init", "pidfd_getfd", "stop-init", "kill-init", "limit-init")));
        return finding("init", "process 1 is not read, written, traced or signalled", List.copyOf(wrong));
    }

    private List<String> resourceLimits() {
        var wrong = new ArrayList<String>();
        // With 0 the kernel still runs the machine's own program for core dumps; with 1 it does not.
        if (limit("Max core file size", 0) != 1 || limit("Max core file size", 1) != 1) {
            wrong.add("programs may dump core");
        }
        if (limit("Max open files", 0) > OPEN_FILES) {
            wrong.add("more than " + OPEN_FILES + " open files");
        }
        return wrong;
    }

    /// The soft limit, or as number 1 the hard one; the largest number if there is none.
    private long limit(String name, int which) {
        return seen.text("/proc/self/limits").stream()
                .filter(line -> line.startsWith(name))
                .map(line -> line.substring(name.length()).strip().split("\\s+", -1)[which])
                .map(word -> word.equals("unlimited") ? Long.MAX_VALUE : Long.parseLong(word))
                .findFirst()
                .orElse(Long.MAX_VALUE);
    }

    private List<String> name() {
        return seen.text("/proc/sys/kernel/hostname").equals(List.of(hostName))
                ? List.of("the machine's name is told")
                : List.of();
    }

    private List<String> network() {
        var wrong = new ArrayList<String>();
        seen.text("/proc/self/net/dev").stream()
                .filter(line -> line.contains(":"))
                .map(line -> line.substring(0, line.indexOf(':')).strip())
                .filter(each -> !each.equals("lo"))
                .forEach(each -> wrong.add("interface " + each));
        wrong.addAll(notRefused(List.of("route-metadata", "route-world", "route-private", "route-ipv6")));
        return wrong;
    }

    /// A line of `/proc/self/mountinfo`.
    private record MountLine(String point, String flags, String options, String type) {}

    private Stream<MountLine> mounts() {
        return seen.text("/proc/self/mountinfo").stream().map(line -> {
            var halves = line.split(" - ", 2);
            var left = halves[0].split(" ", 7);
            var type = halves.length > 1 ? halves[1].split(" ", 2)[0] : "";
            return new MountLine(
                    left.length > 4 ? left[4] : "",
                    left.length > 5 ? left[5] : "",
                    left.length > 6 ? left[6] : "",
                    type);
        });
    }
}
