package dev.bobbin.runner;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/// A right of a process that the kernel checks against a sandbox's own user namespace, and so means something inside.
/// Those that it checks against the machine's, such as `CAP_SYS_ADMIN`, no job can have.
public enum Capability {
    CHOWN(0, true),
    DAC_OVERRIDE(1, true),
    DAC_READ_SEARCH(2, false),
    FOWNER(3, true),
    FSETID(4, true),
    KILL(5, true),
    SETGID(6, true),
    SETUID(7, true),
    SETPCAP(8, true),
    NET_BIND_SERVICE(10, true),
    NET_ADMIN(12, false),
    NET_RAW(13, false),
    SYS_CHROOT(18, true),
    SYS_PTRACE(19, false),
    SETFCAP(31, false);

    private static final String PREFIX = "CAP_";

    private final int number;
    private final boolean usual;

    Capability(int number, boolean usual) {
        this.number = number;
        this.usual = usual;
    }

    /// The one that is called `name`, with or without `CAP_` before it, in letters of any case.
    public static Optional<Capability> of(String name) {
        var plain = name.toUpperCase(Locale.ROOT);
        var bare = plain.startsWith(PREFIX) ? plain.substring(PREFIX.length()) : plain;
        return Arrays.stream(values()).filter(each -> each.name().equals(bare)).findFirst();
    }

    /// All there are, for a sentence.
    static String all() {
        return Arrays.stream(values()).map(Capability::word).collect(Collectors.joining(", "));
    }

    /// Its name as the kernel's documents have it, such as `CAP_CHOWN`.
    public String word() {
        return PREFIX + name();
    }

    /// Whether root in every sandbox has it.
    public boolean isUsual() {
        return usual;
    }

    /// Whether it is of a network, which must then be the sandbox's own.
    public boolean isOfNetwork() {
        return this == NET_ADMIN || this == NET_RAW;
    }

    /// Its place in a mask.
    public long bit() {
        return 1L << number;
    }
}
