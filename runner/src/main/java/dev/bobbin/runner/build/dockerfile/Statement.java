package dev.bobbin.runner.build.dockerfile;

import dev.bobbin.runner.build.BuildException;
import java.util.List;

/// One instruction as the file has it, its lines joined and the comments between them gone.
///
/// @param line its first, from 1
/// @param escape the character that continues a line and takes the meaning from the next one
record Statement(int line, String text, List<Heredoc> heredocs, char escape) {
    Statement {
        heredocs = List.copyOf(heredocs);
    }

    /// A cursor over its words.
    WordReader words() {
        return new WordReader(text, escape);
    }

    /// What one of its words means, given `variables`.
    Expansion expansion(Variables variables) {
        return new Expansion(variables, escape, line);
    }

    /// A refusal of it.
    ///
    /// @param problem what is wrong, and what would be right
    BuildException refuse(String problem) {
        return BuildException.recipe(line, problem);
    }
}
