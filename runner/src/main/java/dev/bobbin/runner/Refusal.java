package dev.bobbin.runner;

import org.jspecify.annotations.Nullable;

/// Why a job was not started. Nothing ran and nothing is left of it.
///
/// @param reason the kind of refusal, on which each API bases its status
/// @param detail one sentence for a person: what is wrong and what to do
/// @param field what of the request it is about, as the native API names it, if the reason alone does not tell
public record Refusal(
        Reason reason, String detail, @Nullable String field) {

    public Refusal(Reason reason, String detail) {
        this(reason, detail, null);
    }

    public enum Reason {
        /// No place came free within the bounded wait.
        BUSY,
        /// This host has no room for it now; another may.
        HOST_FULL,
        /// This host cannot make sandboxes at the moment.
        DEGRADED,
        /// Larger than any host.
        NO_HOST_FITS,
        NO_SUCH_IMAGE,
        NO_SUCH_USER,
        /// The command is absent and the image has none.
        NO_COMMAND,
        NO_SUCH_SANDBOX,
        /// The sandbox exists and is in a state that does not allow this.
        SANDBOX_NOT_RUNNING,
        NAME_TAKEN,
        /// Its key was that of another request.
        KEY_REUSED,
        /// What its key began is not kept any more.
        KEY_SPENT,
        NO_SUCH_VOLUME,
        /// A sandbox or a job that runs names it.
        VOLUME_IN_USE,
        /// What shall be mounted is not there, or is nothing that can be.
        BAD_MOUNT,
        /// This host has no system-call profile of that name.
        NO_SUCH_PROFILE,
        /// Somebody has a port of this machine that shall be published.
        PORT_TAKEN,
        /// The configuration does not allow it, or not this caller.
        FORBIDDEN,
        DRAINING
    }
}
