package dev.bobbin.runner.build;

import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Something that is done to a block's root. All paths are absolute, variables are replaced: a step says everything
/// that it depends on, so it is itself the larger part of its key in the cache.
public sealed interface Step {

    /// Where it stands in the recipe, from 1.
    int line();

    /// A command in a sandbox; it has to end with 0.
    ///
    /// @param argv the program and its arguments, a shell included where the recipe means one
    /// @param env all that it sees, the base's and the recipe's, effective arguments included
    /// @param hiddenEnv more that it sees, which changes nothing of what is made (proxies): not part of the key
    /// @param workdir absolute; made if absent
    /// @param user `name`, `uid`, `name:group` or `uid:gid`, looked up in the block's root
    record Run(
            int line,
            List<String> argv,
            Map<String, String> env,
            Map<String, String> hiddenEnv,
            String workdir,
            String user,
            List<StepMount> mounts,
            StepNetwork network)
            implements Step {

        public Run {
            argv = List.copyOf(argv);
            env = Collections.unmodifiableMap(new LinkedHashMap<>(env));
            hiddenEnv = Collections.unmodifiableMap(new LinkedHashMap<>(hiddenEnv));
            mounts = List.copyOf(mounts);
        }

        /// Names the variables, never their values.
        @Override
        public String toString() {
            return "Run[line=" + line + ", argv=" + argv + ", env=" + env.keySet() + ", workdir=" + workdir + ", user="
                    + user + "]";
        }
    }

    /// Files and directories, copied as BuildKit does: of a directory its content, to a destination that ends
    /// with `/` or of several sources into that directory, else to that very name; directories that are missing
    /// are made, of root, 0755.
    ///
    /// @param patterns what to copy, relative to the source's root, a leading `/` meaning nothing; `*`, `?`,
    ///        ranges and `\` before a character as Go's `filepath.Match` has them, resolved when the source is
    ///        there. One without any of these has to exist; of those with, together with the others, at least one.
    /// @param excludes patterns as in an ignore file, `**` and `!` included, relative to the source's root
    /// @param destination absolute; a `/` at its end counts
    /// @param owner as in [Run#user]; `null` for root if it comes from the context, else as it is
    /// @param mode of every file and directory copied, at most octal 7777; `null` for as it is
    /// @param unpack whether a local archive (tar, plain or compressed) is unpacked into the destination
    /// @param parents whether the sources keep the directories that they lie in
    /// @param link whether it is put together without looking at what is beneath, where no link is followed and no
    ///        directory kept as it is; then it depends on what is beneath only for the names of users
    record Copy(
            int line,
            Source source,
            List<String> patterns,
            List<String> excludes,
            String destination,
            @Nullable String owner,
            @Nullable Integer mode,
            boolean unpack,
            boolean parents,
            boolean link)
            implements Step {

        public Copy {
            patterns = List.copyOf(patterns);
            excludes = List.copyOf(excludes);
        }

        /// Whether what it makes depends on what is beneath.
        boolean dependsOnBase() {
            return !link || (owner != null && !owner.matches("\\d+(:\\d+)?"));
        }

        /// The plainest.
        public Copy(int line, Source source, List<String> patterns, String destination) {
            this(line, source, patterns, List.of(), destination, null, null, false, false, false);
        }
    }

    /// A file whose content stands in the recipe.
    ///
    /// @param path absolute, its last part its name
    /// @param owner as in [Run#user]; `null` for root
    /// @param mode at most octal 7777
    record InlineFile(
            int line, String path, String content, @Nullable String owner, int mode) implements Step {
        byte[] bytes() {
            return content.getBytes(StandardCharsets.UTF_8);
        }
    }

    /// A directory, made with those above it where there is none; one that is there stays as it is.
    ///
    /// @param owner as in [Run#user]; `null` for root; of those that are made
    record MakeDirectory(int line, String path, @Nullable String owner, int mode) implements Step {}
}
