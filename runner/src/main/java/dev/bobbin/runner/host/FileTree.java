package dev.bobbin.runner.host;

import dev.bobbin.image.ImageException;
import dev.bobbin.image.store.TarFiles;
import dev.bobbin.runner.FileEntry;
import dev.bobbin.runner.FilesException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/// The files of a sandbox that lasts, whether it runs or not, seen and changed as its root sees and may change them:
/// with its ids, within its limits of memory, beneath its root whatever links lead where. Paths are absolute. Safe for
/// many threads; each call blocks until it is done.
public final class FileTree {
    /* Each call is a process in the sandbox that carries it out (files.c). A sandbox that does not run is entered for the
     * call: it gets its PID 1 and no program. */

    private static final int RECORD = 40;
    /// Of what only looks at or changes names; a program in the sandbox may be in its way.
    private static final Duration SHORT = Duration.ofSeconds(30);
    /// Of what takes as long as there are bytes or files.
    private static final Duration LONG = Duration.ofHours(6);

    private final LastingSandbox sandbox;
    private final Visits visits;

    FileTree(LastingSandbox sandbox, Visits visits) {
        this.sandbox = sandbox;
        this.visits = visits;
    }

    /// What `path` names, itself if that is a symbolic link.
    public FileEntry look(String path) throws IOException, InterruptedException {
        return entries(List.of("stat", path)).getFirst();
    }

    /// What is in a directory, in no order.
    public List<FileEntry> list(String path) throws IOException, InterruptedException {
        return entries(List.of("list", path));
    }

    /// Writes at most `count` bytes of a file to `to`, from the position `from` on.
    public void read(String path, long from, long count, OutputStream to) throws IOException, InterruptedException {
        read(List.of("read", path, Long.toString(from), Long.toString(count)), LONG, to);
    }

    /// Writes a tar archive of a file, or of a directory and everything below it on the same file system, to `to`.
    public void archive(String path, OutputStream to) throws IOException, InterruptedException {
        read(List.of("tree", path), LONG, to);
    }

    /// [#write(String, int, InputStream)] of what is small, which fails if the sandbox lets it take longer than `most`.
    public void write(String path, int mode, InputStream content, Duration most)
            throws IOException, InterruptedException {
        feed(List.of("write", path, Integer.toOctalString(mode)), most, content::transferTo);
    }

    /// Makes `content` the content of a file. One that is there keeps its owner and mode; a new one is root's, with
    /// `mode`, and directories above it that are missing are made. Others see the old content until all is there.
    public void write(String path, int mode, InputStream content) throws IOException, InterruptedException {
        feed(List.of("write", path, Integer.toOctalString(mode)), LONG, content::transferTo);
    }

    /// Puts what a tar archive holds, plain or compressed, below a directory. Names that climb out of it are refused;
    /// what came before such a one is there.
    public void unpack(String path, InputStream tar) throws IOException, InterruptedException {
        try {
            feed(List.of("put", path), LONG, to -> TarFiles.read(tar, new TarRecords(to)));
        } catch (ImageException e) {
            throw new FilesException(FilesException.Reason.INVALID, "the archive: " + e.getMessage());
        }
    }

    /// Makes a directory, and those above it that are missing.
    public void makeDirectory(String path, int mode) throws IOException, InterruptedException {
        read(List.of("mkdir", path, Integer.toOctalString(mode)), SHORT, OutputStream.nullOutputStream());
    }

    /// Deletes a file or an empty directory.
    public void delete(String path) throws IOException, InterruptedException {
        read(List.of("delete", path), SHORT, OutputStream.nullOutputStream());
    }

    /// Deletes a file, or a directory with everything in it.
    public void deleteTree(String path) throws IOException, InterruptedException {
        read(List.of("delete", path, "tree"), LONG, OutputStream.nullOutputStream());
    }

    private void read(List<String> arguments, Duration time, OutputStream to) throws IOException, InterruptedException {
        check(arguments);
        try (var stay = visits.enter(sandbox)) {
            new FileWork(stay.begin(arguments, time, false)).read(to);
        }
    }

    private void feed(List<String> arguments, Duration time, FileWork.Source source)
            throws IOException, InterruptedException {
        check(arguments);
        try (var stay = visits.enter(sandbox)) {
            new FileWork(stay.begin(arguments, time, true)).feed(source, stay.room());
        }
    }

    private static void check(List<String> arguments) throws FilesException {
        var path = arguments.get(1);
        if (!path.startsWith("/") || path.indexOf('\0') >= 0) {
            throw new FilesException(FilesException.Reason.INVALID, "path: must be absolute, without NUL characters");
        }
        if (path.getBytes(StandardCharsets.UTF_8).length > 4095) {
            throw new FilesException(FilesException.Reason.INVALID, "path: has at most 4095 bytes");
        }
    }

    private List<FileEntry> entries(List<String> arguments) throws IOException, InterruptedException {
        var bytes = new ByteArrayOutputStream();
        read(arguments, SHORT, bytes);
        var records = ByteBuffer.wrap(bytes.toByteArray()).order(ByteOrder.nativeOrder());
        var entries = new ArrayList<FileEntry>();
        while (records.remaining() >= RECORD) {
            entries.add(entry(records));
        }
        return entries;
    }

    /// A struct entry of files.c, name and target.
    private static FileEntry entry(ByteBuffer records) {
        var kind = kind(records.getInt());
        var mode = records.getInt();
        var uid = records.getInt();
        var gid = records.getInt();
        var size = records.getLong();
        var modified = Instant.EPOCH.plusNanos(records.getLong());
        var name = new byte[records.getInt()];
        var target = new byte[records.getInt()];
        records.get(name).get(target);
        return new FileEntry(
                new String(name, StandardCharsets.UTF_8),
                kind,
                mode,
                uid,
                gid,
                size,
                modified,
                kind == FileEntry.Kind.LINK ? new String(target, StandardCharsets.UTF_8) : null);
    }

    private static FileEntry.Kind kind(int letter) {
        return switch (letter) {
            case 'f' -> FileEntry.Kind.FILE;
            case 'd' -> FileEntry.Kind.DIRECTORY;
            case 'l' -> FileEntry.Kind.LINK;
            case 'p' -> FileEntry.Kind.PIPE;
            default -> FileEntry.Kind.OTHER;
        };
    }
}
