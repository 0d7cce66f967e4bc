package dev.bobbin.runner;

/// A file laid into the sandbox before the command starts, owned by the job's user.
///
/// @param path where, relative to the working directory: no leading `/`, no empty, `.` or `..` part
/// @param data the content; the array belongs to this value and must not be changed
/// @param mode permission bits, at most octal 0777
@SuppressWarnings("ArrayRecordComponent") // compared by nobody; a copy of every upload would serve nobody
public record InputFile(String path, byte[] data, int mode) {
    private static final int LONGEST_PATH = 4095;
    private static final int LONGEST_NAME = 255;

    public InputFile {
        if (path.isEmpty() || path.startsWith("/")) {
            throw new IllegalArgumentException("a file's path must be relative to the working directory");
        }
        if (path.length() > LONGEST_PATH || path.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("a file's path has at most 4095 bytes and no NUL");
        }
        for (var part : path.split("/", -1)) {
            if (part.isEmpty() || part.equals(".") || part.equals("..")) {
                throw new IllegalArgumentException("a file's path must not have empty, \".\" or \"..\" parts");
            }
            if (part.length() > LONGEST_NAME) {
                throw new IllegalArgumentException("a file's name has at most 255 bytes");
            }
        }
        if (mode < 0 || mode > 0777) {
            throw new IllegalArgumentException("a file's mode must be between 0 and 0777");
        }
    }
}
