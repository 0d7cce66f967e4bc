package dev.bobbin.runner.net;

import java.net.Inet4Address;
import java.time.Duration;
import java.util.List;

/// Opens what a DNS name resolved to, for one sandbox and for a while. Called before the answer is given, so that
/// whoever
/// connects at once is let through.
public interface NameGrants {
    /// Lets the sandbox at `sandbox` connect to those of `resolved` that may be connected to at all, until `lifetime`
    /// has
    /// passed; an address that is open already stays so for at least as long. Returns when it is in force.
    ///
    /// @return those that may be connected to, in the same order: what is left out must not be answered
    /// @throws InterruptedException if the caller is; nothing may be answered then
    List<Inet4Address> allow(Inet4Address sandbox, List<Inet4Address> resolved, Duration lifetime)
            throws InterruptedException;
}
