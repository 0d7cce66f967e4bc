package dev.bobbin.runner.build;

/// A build that cannot be, with one sentence for whoever wrote the recipe.
public final class BuildException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Problem problem;
    private final int line;
    private String file = "";

    /// Whose fault it is.
    public enum Problem {
        /// The recipe says what cannot be.
        RECIPE,
        /// It names an image that nobody has.
        NO_SUCH_IMAGE,
        /// A registry did not answer.
        IMAGE_UNAVAILABLE,
        /// The context lacks something, or holds what may not be.
        CONTEXT,
        /// The context is larger than may be.
        TOO_LARGE,
        /// The tenant has as much under way as it may.
        BUSY,
        /// A step did not end well.
        STEP,
        /// The disk of this machine has no room left.
        DISK_FULL,
        /// This machine could not.
        HOST
    }

    /// One without a deeper reason.
    ///
    /// @param line of the recipe, from 1; 0 if it is about none
    public BuildException(Problem problem, int line, String message) {
        super(message);
        this.problem = problem;
        this.line = line;
    }

    public BuildException(Problem problem, int line, String message, Throwable cause) {
        super(message, cause);
        this.problem = problem;
        this.line = line;
    }

    /// A recipe that says what cannot be. The message need not repeat the line.
    public static BuildException recipe(int line, String message) {
        return new BuildException(Problem.RECIPE, line, message);
    }

    /// The same, of a recipe of this name.
    BuildException in(String recipe) {
        file = recipe;
        return this;
    }

    /// The message behind the place in the recipe that it is about: `Dockerfile:12: …`.
    public String located() {
        return located(file, line, String.valueOf(getMessage()));
    }

    static String located(String file, int line, String message) {
        if (line == 0) {
            return message;
        }
        return (file.isEmpty() ? "line " : file + ":") + line + ": " + message;
    }

    public Problem problem() {
        return problem;
    }

    /// Of the recipe, from 1; 0 if it is about none.
    public int line() {
        return line;
    }
}
