package dev.bobbin.runner.build;

import dev.bobbin.image.Descriptor;
import dev.bobbin.image.Digest;
import dev.bobbin.image.Layer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What the file of one entry of the cache says.
sealed interface CacheRecord {
    String BLOCK = "bobbin build cache 2";
    /// Did not know what a layer is unpacked to.
    String EARLIER_BLOCK = "bobbin build cache 1";
    String MOUNT = "bobbin build mount 1";
    /// What is guessed of layers that do not say it: files take some times what they take compressed.
    int USUAL_RATIO = 3;

    /// What it takes on the disk.
    long bytes();

    /// What a block became.
    ///
    /// @param diffIds of the layers that it was stacked on, the lowest first, its own last
    record Block(BuildCache.Made made, List<Digest> diffIds) implements CacheRecord {
        public Block {
            diffIds = List.copyOf(diffIds);
        }

        @Override
        public long bytes() {
            var layer = made.layer();
            return layer == null ? 0 : layer.blob().size() + made.unpackedBytes();
        }
    }

    /// A directory that commands mount.
    record Mount(CacheMounts.Cache cache, long bytes) implements CacheRecord {}

    /// What such a file says.
    ///
    /// @throws RuntimeException if it is none, or of a later version
    static CacheRecord parse(List<String> lines) {
        return switch (lines.getFirst()) {
            case BLOCK -> block(lines, 3, Long.parseLong(lines.get(2)));
            case EARLIER_BLOCK -> block(lines, 2, -1);
            case MOUNT -> new Mount(new CacheMounts.Cache(lines.get(1), lines.get(2)), Long.parseLong(lines.get(3)));
            default -> throw new IllegalArgumentException("it is of another format: " + lines.getFirst());
        };
    }

    private static Block block(List<String> lines, int begin, long unpacked) {
        var layer = layer(lines.get(1));
        var bytes = unpacked >= 0 || layer == null
                ? Math.max(0, unpacked)
                : layer.blob().size() * USUAL_RATIO;
        var diffIds = lines.stream().skip(begin).map(Digest::parse).toList();
        return new Block(new BuildCache.Made(layer, bytes), diffIds);
    }

    private static @Nullable Layer layer(String line) {
        if (line.isEmpty()) {
            return null;
        }
        var words = line.split(" ", -1);
        return new Layer(
                new Descriptor(words[0], Digest.parse(words[1]), Long.parseLong(words[2])), Digest.parse(words[3]));
    }

    /// As it is read again.
    default List<String> lines() {
        return switch (this) {
            case Block(var made, var diffIds) -> {
                var lines = new ArrayList<String>();
                lines.add(BLOCK);
                lines.add(line(made.layer()));
                lines.add(Long.toString(made.unpackedBytes()));
                diffIds.forEach(id -> lines.add(id.text()));
                yield lines;
            }
            case Mount(var cache, var bytes) -> List.of(MOUNT, cache.tenant(), cache.name(), Long.toString(bytes));
        };
    }

    private static String line(@Nullable Layer layer) {
        if (layer == null) {
            return "";
        }
        var blob = layer.blob();
        return String.join(
                " ",
                blob.mediaType(),
                blob.digest().text(),
                Long.toString(blob.size()),
                layer.diffId().text());
    }
}
