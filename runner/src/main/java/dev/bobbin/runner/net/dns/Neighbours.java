package dev.bobbin.runner.net.dns;

import java.net.Inet4Address;
import java.util.Optional;

/// Who is on a bridge. Called from any thread, for each query.
public interface Neighbours {
    /// The sandbox whose packets come from `source`; empty for none, which gets no answer.
    Optional<Asker> at(Inet4Address source);
}
