package dev.bobbin.image.store;

import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageReference;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The image `host`: this machine's own `/usr` and its companions read-only, over a small layer of our own with empty
/// homes and an `/etc` that tells nothing about the machine.
final class HostImage {
    /* The layer is a snapshot: what programs need from the machine's /etc is copied when the layer is made, and only what
     * every user of the machine may read. It is made anew, beside the old one, once one of its sources has changed, so that a
     * program installed while the server runs is found by the next job. A start costs nothing for it: the check is a few
     * stat calls, at most once a second. */

    private static final List<String> COMPANIONS = List.of("bin", "sbin", "lib", "lib32", "lib64", "libx32");
    private static final List<String> SOURCES =
            List.of("/etc/alternatives", "/etc/ld.so.cache", "/etc/ssl/certs", "/etc/localtime", "/etc/java*");
    private static final long CHECK_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final ImageConfig CONFIG = new ImageConfig(
            Map.of("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            List.of(),
            List.of(),
            "root",
            "/");

    private static final String PASSWD = """
            root:x:0:0:root:/root:/bin/sh
            daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
            bin:x:2:2:bin:/bin:/usr/sbin/nologin
            sys:x:3:3:sys:/dev:/usr/sbin/nologin
            man:x:6:12:man:/var/cache/man:/usr/sbin/nologin
            mail:x:8:8:mail:/var/mail:/usr/sbin/nologin
            www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
            _apt:x:42:65534::/nonexistent:/usr/sbin/nologin
            nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
            """;
    private static final String GROUP = """
            root:x:0:
            daemon:x:1:
            bin:x:2:
            sys:x:3:
            adm:x:4:
            tty:x:5:
            disk:x:6:
            man:x:12:
            mail:x:8:
            www-data:x:33:
            staff:x:50:
            users:x:100:
            nogroup:x:65534:
            """;
    private static final String HOSTS = """
            127.0.0.1 localhost
            ::1 localhost ip6-localhost ip6-loopback
            """;
    private static final String NSSWITCH = """
            passwd: files
            group: files
            shadow: files
            hosts: files dns
            networks: files
            protocols: files
            services: files
            """;

    private static final Digest NO_CONTENT = Digest.sha256("");

    private final Instant madeAt = Instant.now();
    private final Disk disk;
    private final HostLayers layers;
    private final ReentrantLock lock = new ReentrantLock();
    private volatile Version current;

    private record Version(String fingerprint, String layer, Accounts accounts, long checkedNanos) {}

    private HostImage(Disk disk, HostLayers layers, Version first) {
        this.disk = disk;
        this.layers = layers;
        this.current = first;
    }

    /// Finds or makes the first layer.
    static HostImage open(Disk disk, HostLayers layers) throws IOException {
        return new HostImage(disk, layers, build(disk, layers, fingerprint()));
    }

    /// Directories of the machine that a root of this image shows at the same path, read-only.
    static List<Path> trees() {
        var trees = new ArrayList<Path>(List.of(Path.of("/usr")));
        for (var name : COMPANIONS) {
            var path = Path.of("/" + name);
            if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
                trees.add(path);
            }
        }
        return trees;
    }

    /// How it is listed.
    Image image() {
        var made = madeAt;
        return new Image("", ImageReference.HOST, NO_CONTENT, CONFIG, 0, 0, made, made, null);
    }

    Rootfs lease() {
        while (true) {
            var version = refreshed();
            var lease = layers.lease(version.layer);
            if (lease.isPresent()) {
                return new Rootfs(
                        ImageReference.HOST, CONFIG, List.of(version.layer), true, version.accounts, lease.get());
            }
        }
    }

    private Version refreshed() {
        var version = current;
        var now = System.nanoTime();
        if (now - version.checkedNanos < CHECK_NANOS || !lock.tryLock()) {
            return version;
        }
        try {
            var fingerprint = fingerprint();
            current = fingerprint.equals(version.fingerprint)
                    ? new Version(fingerprint, version.layer, version.accounts, now)
                    : build(disk, layers, fingerprint);
            return current;
        } catch (IOException e) {
            throw new UncheckedIOException("make the layer of the image host", e);
        } finally {
            lock.unlock();
        }
    }

    /// The version of this content: an earlier server's, if it made the same.
    private static Version build(Disk disk, HostLayers layers, String fingerprint) throws IOException {
        var name = HostLayers.name(String.join("\0", fingerprint, PASSWD, GROUP, HOSTS, NSSWITCH));
        if (!layers.makeNewest(name)) {
            layers.add(name, make(disk));
        }
        return new Version(fingerprint, name, Accounts.read(List.of(layers.path(name))), System.nanoTime());
    }

    private static Path make(Disk disk) throws IOException {
        var root = directory(disk.fresh("machine"), 0755);
        for (var directory : List.of("etc", "home", "mnt", "opt", "proc", "run", "srv", "sys", "dev", "usr", "var")) {
            directory(root.resolve(directory), 0755);
        }
        for (var directory : List.of("var/lib", "var/cache", "var/log", "var/spool", "etc/ssl")) {
            directory(root.resolve(directory), 0755);
        }
        directory(root.resolve("root"), 0700);
        for (var open : List.of("tmp", "var/tmp")) {
            directory(root.resolve(open), 01777);
        }
        Files.createSymbolicLink(root.resolve("var/run"), Path.of("/run"));
        companions(root);
        write(root.resolve("etc/passwd"), PASSWD);
        write(root.resolve("etc/group"), GROUP);
        write(root.resolve("etc/hosts"), HOSTS);
        write(root.resolve("etc/hostname"), "bobbin\n");
        write(root.resolve("etc/resolv.conf"), "");
        write(root.resolve("etc/nsswitch.conf"), NSSWITCH);
        for (var source : sources()) {
            copy(source, root.resolve("etc").resolve(Path.of("/etc").relativize(source)));
        }
        return root;
    }

    private static void companions(Path root) throws IOException {
        for (var name : COMPANIONS) {
            var path = Path.of("/" + name);
            if (Files.isSymbolicLink(path)) {
                Files.createSymbolicLink(root.resolve(name), Files.readSymbolicLink(path));
            } else if (Files.isDirectory(path)) {
                directory(root.resolve(name), 0755);
            }
        }
    }

    private static List<Path> sources() throws IOException {
        var found = new ArrayList<Path>();
        for (var source : SOURCES) {
            var pattern = Path.of(source);
            // a small system has no /etc/ssl
            var directory = pattern.getParent();
            if (directory == null || !Files.isDirectory(directory)) {
                continue;
            }
            try (var entries =
                    Files.newDirectoryStream(directory, pattern.getFileName().toString())) {
                entries.forEach(found::add);
            }
        }
        found.sort(null);
        return found;
    }

    private static String fingerprint() throws IOException {
        var text = new StringBuilder();
        for (var source : sources()) {
            var attributes = Files.readAttributes(source, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            text.append(source).append('@').append(attributes.lastModifiedTime().toMillis());
            text.append('#').append(attributes.size()).append(' ');
        }
        return HexFormat.of().formatHex(text.toString().getBytes(StandardCharsets.UTF_8));
    }

    /// Copies what every user may read; links stay links.
    private static void copy(Path source, Path target) throws IOException {
        Files.walkFileTree(source, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
                    throws IOException {
                if (!everyoneMayRead(directory)) {
                    return FileVisitResult.SKIP_SUBTREE;
                }
                directory(directory.equals(source) ? target : target.resolve(source.relativize(directory)), 0755);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                var plain = attributes.isSymbolicLink() || attributes.isRegularFile();
                if (plain && (attributes.isSymbolicLink() || everyoneMayRead(file))) {
                    var to = file.equals(source) ? target : target.resolve(source.relativize(file));
                    Files.copy(file, to, LinkOption.NOFOLLOW_LINKS, StandardCopyOption.COPY_ATTRIBUTES);
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) {
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException e) {
                return FileVisitResult.CONTINUE;
            }
        });
    }

    private static boolean everyoneMayRead(Path path) throws IOException {
        return Files.getPosixFilePermissions(path, LinkOption.NOFOLLOW_LINKS).contains(PosixFilePermission.OTHERS_READ);
    }

    private static void write(Path file, String text) throws IOException {
        Files.writeString(file, text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    }

    /// Makes a directory with exactly these permissions, whatever the umask.
    private static Path directory(Path path, int mode) throws IOException {
        Files.createDirectory(path);
        Files.setAttribute(path, "unix:mode", mode);
        return path;
    }
}
