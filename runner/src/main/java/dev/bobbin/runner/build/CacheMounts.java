package dev.bobbin.runner.build;

import java.util.List;
import java.util.OptionalLong;

/// The directories that commands mount from one build to the next, where commands run.
public interface CacheMounts {

    /// One of them.
    ///
    /// @param name as in [StepMount.Cache#name]
    record Cache(String tenant, String name) {}

    /// All that there are.
    List<Cache> all();

    /// Whether it is there.
    boolean has(Cache cache);

    /// What is in one, which may take as long as looking at every file; nothing if it is not there.
    OptionalLong bytes(Cache cache);

    /// Removes one; whether it is gone. It stays while a command uses it.
    boolean remove(Cache cache);
}
