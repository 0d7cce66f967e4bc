package dev.bobbin.runner.build;

import dev.bobbin.image.store.Rootfs;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.OutputSink;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Where the commands of builds run: each in a sandbox of its own, with every protection on.
public interface Commands {

    /// Runs a command to its end. An interrupt ends it, and it is over when this throws.
    ///
    /// @param output takes what it prints, as it comes
    /// @throws BuildException if it cannot be run here
    Ran run(Command command, OutputSink output) throws InterruptedException;

    /// One command.
    ///
    /// @param rootfs what it stands on
    /// @param env all that it sees, hidden variables and secrets included
    /// @param fixtures files made for it alone
    record Command(
            String tenant,
            Rootfs rootfs,
            Step.Run step,
            Map<String, String> env,
            Limits limits,
            Network network,
            List<Fixture> fixtures) {

        /// Names no value.
        @Override
        public String toString() {
            return "Command[" + step + "]";
        }
    }

    /// Something that is mounted for one command.
    ///
    /// @param content a directory or a file that is given away: it is mounted as it is, and removed afterwards
    /// @param target where
    record Fixture(Path content, String target, boolean readOnly) {}

    /// What became of a command, and what it left. Closing it removes that.
    interface Ran extends AutoCloseable {
        Outcome outcome();

        /// What it wrote, as overlayfs keeps it.
        Path upper();

        /// The first of its user ids.
        int uidBase();

        /// Paths that were made for the sandbox, as its programs may have found them.
        Set<String> scaffolding();

        @Override
        void close();
    }
}
