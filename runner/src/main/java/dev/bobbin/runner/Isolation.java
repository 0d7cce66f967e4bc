package dev.bobbin.runner;

import org.jspecify.annotations.Nullable;

/// How far a sandbox is kept from its machine and from others, where that is not the same for all.
///
/// @param network what it may reach, and who may reach it
/// @param sysctls settings of the kernel in its own namespaces, at every start
/// @param seccomp name of a profile of system calls that holds besides the one that all have; `null` for none
/// @param rights what its processes may besides what all may
public record Isolation(
        Network network, Sysctls sysctls, @Nullable String seccomp, Rights rights) {
    /// No network, and nothing more than all have.
    public static final Isolation USUAL = new Isolation(Network.NONE, Sysctls.NONE, null, Rights.NONE);

    public Isolation {
        sysctls.checkWith(network);
        rights.checkWith(network);
    }
}
