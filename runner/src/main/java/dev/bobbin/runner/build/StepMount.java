package dev.bobbin.runner.build;

import dev.bobbin.image.Digest;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a command of a build sees besides its root; none of it becomes part of a layer.
public sealed interface StepMount {

    /// Absolute; made for the command if absent.
    String target();

    /// How commands that name the same cache at the same time share it.
    enum Sharing {
        /// All at once.
        SHARED,
        /// Each its own.
        PRIVATE,
        /// One after the other.
        LOCKED
    }

    /// A directory that stays from one build to the next, of one tenant.
    ///
    /// @param id names it; the target if the recipe gives none
    /// @param mode of the directory if it is made
    record Cache(String target, String id, Sharing sharing, boolean readOnly, int mode, int uid, int gid)
            implements StepMount {

        /// What it is called among those of its tenant, whatever its id.
        public String name() {
            return "cache-" + Digest.sha256(id).hex().substring(0, 32);
        }
    }

    /// A value that the request brings along, as a file or as a variable. Neither value nor name is in the key.
    ///
    /// @param target where the file is; what is only a variable has none
    /// @param variable what the variable is called; `null` for none
    /// @param required whether the command is refused where the request has none; else it does without
    record Secret(String target, String id, @Nullable String variable, boolean required, int mode, int uid, int gid)
            implements StepMount {}

    /// A directory or file of the context, of another block or of an image.
    ///
    /// @param path relative to the source's root; empty for all of it
    /// @param writable whether it may be written to; what is written is thrown away
    record Bind(String target, Source source, String path, boolean writable) implements StepMount {

        /// What is mounted, as if it were copied.
        Step.Copy asCopy(int line) {
            return new Step.Copy(line, source, List.of(path.isEmpty() ? "." : path), "/");
        }
    }

    /// An empty directory in memory.
    ///
    /// @param bytes its size; 0 for as much as there is
    record Tmpfs(String target, long bytes) implements StepMount {}

    /// A file whose content stands in the recipe, such as a script that the command is.
    record Text(String target, String content, int mode) implements StepMount {}
}
