package dev.bobbin.image;

import java.util.Locale;
import java.util.regex.Pattern;

/// The name by which a caller asks for an image, as written: `host`, `busybox:1.36`,
/// `registry.example/team/app@sha256:…`.
/// The grammar is that of the OCI distribution specification; a name outside it is an [IllegalArgumentException]
/// whose message says what is wrong.
public record ImageReference(String text) {
    private static final int LONGEST = 512;
    private static final Pattern GRAMMAR =
            Pattern.compile("[a-z0-9]+(?:[._:/-]+[a-zA-Z0-9_]+)*(?:@sha256:[0-9a-f]{64})?");

    /// The name of the built-in image: this machine's own programs, read-only. Reserved in every API.
    public static final ImageReference HOST = new ImageReference("host");

    public ImageReference {
        if (text.isEmpty()) {
            throw new IllegalArgumentException("an image name must not be empty");
        }
        if (text.length() > LONGEST) {
            throw new IllegalArgumentException("an image name has at most " + LONGEST + " characters");
        }
        var domain = text.indexOf('/') < 0 ? 0 : text.indexOf('/');
        if (!GRAMMAR.matcher(text.substring(0, domain).toLowerCase(Locale.ROOT) + text.substring(domain))
                .matches()) {
            throw new IllegalArgumentException(
                    "an image name looks like [registry/]name[:tag][@sha256:digest], in lower case");
        }
    }

    public boolean isHost() {
        return text.equals("host");
    }

    @Override
    public String toString() {
        return text;
    }
}
