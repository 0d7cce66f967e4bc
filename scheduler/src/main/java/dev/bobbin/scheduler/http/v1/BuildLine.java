package dev.bobbin.scheduler.http.v1;

import dev.bobbin.image.ImageReference;
import dev.bobbin.image.PullProgress;
import dev.bobbin.runner.BuildEvent;

/// What became of a build, in lines for people.
final class BuildLine {
    private static final int SHORT_DIGEST = 12;

    private BuildLine() {}

    static String of(BuildEvent event) {
        var name = "[" + (event.step().isEmpty() ? "build" : event.step()) + "] ";
        return name
                + switch (event.kind()) {
                    case STARTED -> "START " + event.text();
                    case CACHED -> "CACHED " + event.text() + took(event);
                    case DONE -> "DONE" + took(event);
                    case FAILED -> "FAILED: " + event.text();
                    case CANCELLED -> "CANCELLED";
                    case NOTE -> event.text();
                    case EXPORTING -> "writing image " + event.text();
                    case FINISHED -> "DONE manifest=" + shortened(event.text()) + took(event);
                }
                + "\n";
    }

    /// How a base comes; empty for what is not worth a line.
    static String pulling(ImageReference base, PullProgress step) {
        var name = "[build] pulling " + base.text();
        return switch (step) {
            case PullProgress.Resolving _, PullProgress.Done _ -> "";
            case PullProgress.Resolved resolved ->
                name + " " + shortened(resolved.manifest().text()) + ", " + resolved.layers() + " layers\n";
            case PullProgress.LayerProgress layer ->
                layer.transferredBytes() < layer.totalBytes()
                        ? ""
                        : name + " layer " + shortened(layer.digest().text()) + ", " + layer.totalBytes() + " bytes\n";
            case PullProgress.LayerUnpacked layer ->
                name + " layer " + shortened(layer.digest().text()) + " unpacked\n";
            case PullProgress.LayerExists layer ->
                name + " layer " + shortened(layer.digest().text()) + " is here\n";
        };
    }

    /// The last line of a build of which nothing came.
    static String failed(String why) {
        return "[build] FAILED: " + why + "\n";
    }

    private static String shortened(String digest) {
        var hex = digest.substring(digest.indexOf(':') + 1);
        return hex.substring(0, Math.min(SHORT_DIGEST, hex.length()));
    }

    private static String took(BuildEvent event) {
        var millis = event.millis();
        return millis < 1000 ? " (" + millis + "ms)" : " (" + millis / 1000 + "." + millis % 1000 / 100 + "s)";
    }
}
