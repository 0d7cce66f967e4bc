package dev.bobbin.image.archive;

/// What the file system says of a file, of a symbolic link itself where it is one.
///
/// @param mode type and permissions
/// @param major of the device that it stands for, 0 if none
record Status(int mode, int uid, int gid, int major, int minor, long inode, Time modified) {
    static final int PERMISSIONS = 07777;

    int type() {
        return mode & Kernel.TYPE;
    }

    int permissions() {
        return mode & PERMISSIONS;
    }

    boolean isDirectory() {
        return type() == Kernel.DIRECTORY;
    }

    boolean isLink() {
        return type() == Kernel.SYMBOLIC_LINK;
    }

    /// Whether overlayfs takes it for the absence of a file.
    boolean isWhiteout() {
        return type() == Kernel.CHARACTER_DEVICE && major == 0 && minor == 0;
    }

    /// A moment, in the kernel's terms.
    record Time(long seconds, int nanos) {
        static final Time EPOCH = new Time(0, 0);
    }
}
