package dev.bobbin.runner.host;

import dev.bobbin.runner.Rights;
import dev.bobbin.runner.build.BuildConfig;
import dev.bobbin.runner.net.NetworkConfig;
import dev.bobbin.runner.seccomp.FilterSource;
import dev.bobbin.runner.volume.BindConfig;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// Settings of this host's runtime. A wrong value is an [IllegalArgumentException] that starts with the setting's key.
///
/// @param dataDir what must outlive a reboot: images, sandboxes, journals
/// @param runDir sockets and live state only; may vanish at a reboot
/// @param pool sandboxes kept parked; 0 makes each one when it is asked for
/// @param orphanGrace how long a job whose caller must be present goes on after the server died without a successor;
///        `null` for ever, as its successor decides
/// @param keepEnded how long the journal of an ended job is kept
/// @param keepEndedBytes how much all journals of ended jobs may take together; the oldest go first
/// @param allowUnenforcedLimits whether to start on a machine that cannot keep every limit; jobs then say which are
///        not
/// @param binds which directories of this machine may be mounted in sandboxes
/// @param seccomp which system calls jobs may make
/// @param network what of networks jobs may have
/// @param rights the most that jobs may ask for besides what all may
/// @param builds images made here
public record HostConfig(
        Path dataDir,
        Path runDir,
        int pool,
        @Nullable Duration orphanGrace,
        Duration keepEnded,
        long keepEndedBytes,
        boolean allowUnenforcedLimits,
        BindConfig binds,
        FilterSource seccomp,
        NetworkConfig network,
        Rights rights,
        BuildConfig builds) {

    public static final int DEFAULT_POOL = 16;
    public static final Duration DEFAULT_KEEP_ENDED = Duration.ofHours(1);
    public static final long DEFAULT_KEEP_ENDED_BYTES = 1024L * 1024 * 1024;

    /// A Unix socket's address holds 107 bytes; the longest one below the run directory takes this many of them.
    private static final int LONGEST_SOCKET_SUFFIX = "/s/00000000-0000-7000-8000-000000000000/control".length();

    /// One that lets nothing of the machine be mounted and no rights be asked for, with the usual filters, networks and
    /// builds.
    public HostConfig(
            Path dataDir,
            Path runDir,
            int pool,
            @Nullable Duration orphanGrace,
            Duration keepEnded,
            long keepEndedBytes,
            boolean allowUnenforcedLimits) {
        this(
                dataDir,
                runDir,
                pool,
                orphanGrace,
                keepEnded,
                keepEndedBytes,
                allowUnenforcedLimits,
                BindConfig.NONE,
                FilterSource.STANDARD,
                NetworkConfig.STANDARD,
                Rights.NONE,
                BuildConfig.DEFAULT);
    }

    public HostConfig {
        dataDir = dataDir.toAbsolutePath().normalize();
        runDir = runDir.toAbsolutePath().normalize();
        require(pool >= 0 && pool <= 4096, "pool: must be between 0 and 4096");
        require(
                runDir.toString().length() + LONGEST_SOCKET_SUFFIX <= 107,
                "run-dir: has at most " + (107 - LONGEST_SOCKET_SUFFIX) + " bytes, since sockets lie below it");
        require(!keepEnded.isNegative(), "keep-ended: must not be negative");
        require(keepEndedBytes >= 0, "keep-ended-bytes: must not be negative");
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }
}
