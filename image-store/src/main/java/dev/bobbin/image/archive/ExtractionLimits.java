package dev.bobbin.image.archive;

/// What one layer may hold. They keep a small archive of a stranger from filling the disk or the memory.
///
/// @param entries files, directories, links and whiteouts
/// @param bytes length of the uncompressed archive
/// @param ratio uncompressed bytes for each compressed one, beyond the first 64 MiB
/// @param pathBytes length of a path
/// @param depth directories above a file
public record ExtractionLimits(long entries, long bytes, int ratio, int pathBytes, int depth) {
    public static final ExtractionLimits DEFAULT = new ExtractionLimits(2_000_000, 64L << 30, 1_200, 4_000, 256);

    public ExtractionLimits {
        if (entries < 1 || bytes < 1 || ratio < 1 || pathBytes < 1 || depth < 1) {
            throw new IllegalArgumentException("a limit is at least 1");
        }
    }

    public ExtractionLimits withEntries(long newEntries) {
        return new ExtractionLimits(newEntries, bytes, ratio, pathBytes, depth);
    }

    public ExtractionLimits withBytes(long newBytes) {
        return new ExtractionLimits(entries, newBytes, ratio, pathBytes, depth);
    }
}
