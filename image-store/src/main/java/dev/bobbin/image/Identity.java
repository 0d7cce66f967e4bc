package dev.bobbin.image;

import java.util.List;

/// Who a process is inside a sandbox, in the ids of the image.
///
/// @param uid below 65,536, as a sandbox has so many ids
/// @param gid the primary group
/// @param groups supplementary groups
/// @param home the home directory, `/` if the image names none
public record Identity(int uid, int gid, List<Integer> groups, String home) {
    /// Ids of one sandbox, root's 0 included.
    public static final int IDS = 65_536;

    public Identity {
        groups = List.copyOf(groups);
        if (uid < 0 || uid >= IDS || gid < 0 || gid >= IDS) {
            throw new IllegalArgumentException("user and group ids lie between 0 and 65535");
        }
    }
}
