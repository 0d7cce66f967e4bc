package dev.bobbin.runner.kernel;

import java.net.URI;
import java.nio.file.Path;

/// Names of files as the kernel has them, one character a byte, whatever this process thinks they are written in.
public final class RawPath {
    private RawPath() {}

    /// The whole of an absolute path.
    public static String text(Path file) {
        var text = file.toString();
        return isPlain(text) ? text : withoutSlash(decoded(file.toUri().getRawPath()));
    }

    /// The last part of an absolute path.
    public static String name(Path file) {
        var text = text(file);
        return text.substring(text.lastIndexOf('/') + 1);
    }

    /// What `name` is called in an absolute directory.
    public static Path resolve(Path directory, String name) {
        if (isPlain(name)) {
            return directory.resolve(name);
        }
        var encoded = new StringBuilder();
        for (var index = 0; index < name.length(); index++) {
            encoded.append(String.format("%%%02X", (int) name.charAt(index)));
        }
        var above = withoutSlash(directory.toUri().getRawPath());
        return Path.of(URI.create("file://" + above + "/" + encoded));
    }

    private static String withoutSlash(String path) {
        return path.endsWith("/") && path.length() > 1 ? path.substring(0, path.length() - 1) : path;
    }

    private static boolean isPlain(String text) {
        return text.chars().allMatch(each -> each > 0 && each < 0x7f);
    }

    private static String decoded(String raw) {
        var out = new StringBuilder();
        for (var index = 0; index < raw.length(); index++) {
            if (raw.charAt(index) == '%') {
                out.append((char) Integer.parseInt(raw.substring(index + 1, index + 3), 16));
                index += 2;
            } else {
                out.append(raw.charAt(index));
            }
        }
        return out.toString();
    }
}
