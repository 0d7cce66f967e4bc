package dev.bobbin.benchmarks.pull;

import dev.bobbin.benchmarks.compare.Machine;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// What a comparison found, and whether it is what the design asks for.
final class Findings {
    /// How much slower a start in a large image may seem by chance.
    private static final double NOISE = 1.1;

    final List<Double> startsLarge = new ArrayList<>();
    final List<Double> startsSmall = new ArrayList<>();
    double loadBefore;
    double loadAfter;
    long byOne;
    long byCrowd;
    long bySecond;
    private boolean met = true;

    boolean met() {
        return met;
    }

    String markdown(SampleImage image, List<Pull.Times> all, int rounds) throws IOException {
        var text = new StringBuilder();
        text.append("""
                # Pulling an image

                Made by `benchmarks/pull` on %s; load average %.1f before, %.1f after.

                An image of %d layers and %d files, %.0f MB of tar and %.0f MB as gzip, from one `docker-registry` on loopback, in turns
                in an order that moves on each round; medians of %d rounds after one that is not counted. Before each turn `sync`;
                everything lies on one new ext4 with a journal, in a file (loop device, direct); the registry's files are in the
                page cache for everybody. "Ready" is when the command or request ends; "on the disk"
                after a `sync` behind it, since some write everything through before they end and some leave it to the kernel. Bobbin
                is asked over HTTP on a running server, docker through its daemon, the others are started anew each time.
                The image runs after each of Bobbin's pulls.

                | | ready, s | least | most | to Bobbin | on the disk, s | to Bobbin |
                |---|---|---|---|---|---|---|
                """.formatted(
                        Machine.describe(),
                        loadBefore,
                        loadAfter,
                        image.layers(),
                        image.files(),
                        image.tarBytes() / 1e6,
                        image.gzipBytes() / 1e6,
                        rounds));
        var ours = all.getFirst();
        for (var one : all) {
            text.append(String.format(
                    Locale.ROOT,
                    "| %s | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f |%n",
                    one.puller.name(),
                    median(one.ready),
                    quantile(one.ready, 0),
                    quantile(one.ready, 1),
                    median(one.ready) / median(ours.ready),
                    median(one.onDisk),
                    median(one.onDisk) / median(ours.onDisk)));
        }
        text.append("\n| | | |\n|---|---|---|\n");
        for (var one : all.subList(1, all.size())) {
            row(text, "Bobbin ready before " + one.puller.name(), "", median(ours.ready) < median(one.ready));
        }
        row(text, "requests for content, 16 clients at once", byCrowd + " of " + byOne, byCrowd == byOne);
        row(text, "requests for content by a second pull", Long.toString(bySecond), bySecond == 0);
        var large = median(startsLarge);
        var small = median(startsSmall);
        row(
                text,
                "start in this image and in busybox, p50 of " + startsLarge.size(),
                String.format(Locale.ROOT, "%.2f ms, %.2f ms, ratio %.2f", large, small, large / small),
                large / small <= NOISE);
        return text.toString();
    }

    private void row(StringBuilder text, String what, String found, boolean good) {
        met &= good;
        text.append("| ").append(what).append(" | ").append(found).append(good ? " | yes |\n" : " | **no** |\n");
    }

    private static double median(List<Double> values) {
        return quantile(values, 0.5);
    }

    private static double quantile(List<Double> values, double at) {
        var sorted = values.stream().sorted().toList();
        return sorted.get((int) Math.round((sorted.size() - 1) * at));
    }
}
