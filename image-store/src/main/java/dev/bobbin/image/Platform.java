package dev.bobbin.image;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// What a program is made for: `linux/amd64`, `linux/arm/v7`.
///
/// @param variant empty for the ordinary one of its architecture
public record Platform(String os, String architecture, String variant) {
    public Platform {
        os = os.toLowerCase(Locale.ROOT);
        architecture = switch (architecture.toLowerCase(Locale.ROOT)) {
            case "x86_64", "x86-64" -> "amd64";
            case "aarch64" -> "arm64";
            case "i386", "i486", "i586", "i686", "x86" -> "386";
            case "armhf" -> "arm";
            case String known -> known;
        };
        variant = ordinary(architecture, variant.toLowerCase(Locale.ROOT));
    }

    /// The platform of the machine this runs on.
    public static Platform ofThisMachine() {
        return new Platform("linux", System.getProperty("os.arch", "amd64"), "");
    }

    /// Reads `os/architecture[/variant]`.
    public static Platform parse(String text) {
        var parts = text.split("/", -1);
        if (parts.length < 2 || parts.length > 3 || parts[0].isBlank() || parts[1].isBlank()) {
            throw new IllegalArgumentException("a platform is written os/architecture[/variant], as linux/amd64");
        }
        return new Platform(parts[0], parts[1], parts.length == 3 ? parts[2] : "");
    }

    /// How well a program made for `other` runs here: 0 best, more is worse, -1 not at all. As containerd ranks: a
    /// 64-bit machine also takes the 32-bit programs of its family, and ARM the versions before its own.
    public int rank(Platform other) {
        return runs().indexOf(other);
    }

    public boolean matches(Platform other) {
        return rank(other) >= 0;
    }

    public String text() {
        return os + "/" + architecture + (variant.isEmpty() ? "" : "/" + variant);
    }

    @Override
    public String toString() {
        return text();
    }

    private List<Platform> runs() {
        var all = new ArrayList<Platform>();
        all.add(this);
        switch (architecture) {
            case "amd64" -> {
                for (var level = level(variant, 1) - 1; level >= 1; level--) {
                    all.add(new Platform(os, "amd64", "v" + level));
                }
                all.add(new Platform(os, "386", ""));
            }
            case "arm64" -> {
                for (var level = level(variant, 8) - 1; level >= 8; level--) {
                    all.add(new Platform(os, "arm64", "v" + level));
                }
                all.addAll(new Platform(os, "arm", "v8").runs());
            }
            case "arm" -> {
                for (var level = level(variant, 7) - 1; level >= 5; level--) {
                    all.add(new Platform(os, "arm", "v" + level));
                }
            }
            default -> {}
        }
        return all;
    }

    private static int level(String variant, int ordinary) {
        return variant.matches("v[0-9]") ? variant.charAt(1) - '0' : ordinary;
    }

    private static String ordinary(String architecture, String variant) {
        var spelled = variant.matches("[0-9]") ? "v" + variant : variant;
        return switch (architecture) {
            case "amd64" -> spelled.equals("v1") ? "" : spelled;
            case "arm64" -> spelled.equals("v8") ? "" : spelled;
            case "arm" -> spelled.isEmpty() ? "v7" : spelled;
            default -> spelled;
        };
    }
}
