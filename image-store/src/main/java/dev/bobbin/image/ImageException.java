package dev.bobbin.image;

import org.jspecify.annotations.Nullable;

/// Something that could not be done with an image. The message says what was tried, on which, and never a secret.
public final class ImageException extends RuntimeException {
    private final ImageProblem problem;

    public ImageException(ImageProblem problem, String message) {
        this(problem, message, null);
    }

    public ImageException(ImageProblem problem, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.problem = problem;
    }

    public static ImageException invalid(String message) {
        return new ImageException(ImageProblem.INVALID, message);
    }

    /// Content that is not what its address promised.
    public static ImageException wrongDigest(Digest expected, Digest got) {
        return invalid("content of " + expected + " has the digest " + got);
    }

    /// Content that is longer or shorter than its descriptor promised.
    public static ImageException wrongSize(Digest digest, long expected, String got) {
        return invalid("content of " + digest + " should have " + expected + " bytes and has " + got);
    }

    public ImageProblem problem() {
        return problem;
    }
}
