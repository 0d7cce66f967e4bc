package dev.bobbin.runner.seccomp;

import dev.bobbin.runner.kernel.Abi;
import dev.bobbin.runner.kernel.KernelException;
import dev.bobbin.runner.kernel.SystemCalls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Programs of profiles, kept in a directory of the host's: our own as the build made it, others made once.
public final class Filters {
    /* A file is named after everything that its program came from and after the program itself, so that one that was
     * damaged is made anew, and so that whoever is given the name is given the content. Numbers of calls never change, so a
     * program that was built elsewhere is right on every kernel of this kind of machine, and begins by asking for that. */

    /// To be raised when the same profile comes to another program.
    private static final int VERSION = 1;

    private static final String SUFFIX = ".bpf";
    private static final int DIGITS = 16;

    /// Where distributions put it; elsewhere it is found too, but a change of it is not noticed.
    private static final List<Path> LIBRARIES = List.of(
            Path.of("/usr/lib/x86_64-linux-gnu/libseccomp.so.2"),
            Path.of("/usr/lib/aarch64-linux-gnu/libseccomp.so.2"),
            Path.of("/usr/lib64/libseccomp.so.2"),
            Path.of("/usr/lib/libseccomp.so.2"));

    /// What a job's process calls between the filter and its program.
    private static final List<String> NEEDED = List.of(
            "brk",
            "close",
            "close_range",
            "execve",
            "exit_group",
            "fchdir",
            "getcwd",
            "mmap",
            "openat",
            "openat2",
            "prlimit64",
            "read",
            "rt_sigprocmask",
            "setgroups",
            "setresgid",
            "setresuid",
            "umask",
            "write");

    /// The same behind a second filter, on top of that.
    private static final List<String> NEEDED_ON_TOP = List.of("execve", "exit_group", "rt_sigprocmask", "write");

    private final Path directory;

    /// @param directory made when it is needed
    public Filters(Path directory) {
        this.directory = directory;
    }

    /// What a job may call unless it asks for something else, as a file that holds the program.
    ///
    /// @throws KernelException if this machine lacks what is needed to make it
    public Path standard() throws IOException {
        var machine = Abi.ofMachine();
        var program = BuiltIn.program(BuiltIn.STANDARD, machine);
        return program.isPresent()
                ? keep(machine.name().toLowerCase(Locale.ROOT), program.get())
                : file(BuiltIn.profile(BuiltIn.STANDARD), NEEDED);
    }

    /// The same of a profile in a file of somebody's own.
    ///
    /// @throws IllegalArgumentException if it is no profile, or no job could begin under it
    public Path of(Path profile) throws IOException {
        return file(Files.readString(profile), NEEDED);
    }

    /// The program of a profile that is loaded on top of one of these.
    ///
    /// @throws IllegalArgumentException as [#of]
    byte[] onTop(Path profile) throws IOException {
        return Files.readAllBytes(file(Files.readString(profile), NEEDED_ON_TOP));
    }

    /// The same of one of ours.
    byte[] onTop(String builtIn) throws IOException {
        var program = BuiltIn.program(builtIn, Abi.ofMachine());
        return program.isPresent() ? program.get() : Files.readAllBytes(file(BuiltIn.profile(builtIn), NEEDED_ON_TOP));
    }

    private Path file(String text, List<String> needed) throws IOException {
        var key = digest(String.join(
                        "\0",
                        text,
                        String.join(",", needed),
                        Integer.toString(VERSION),
                        Abi.ofMachine().name(),
                        System.getProperty("os.version"),
                        library())
                .getBytes(StandardCharsets.UTF_8));
        var kept = kept(key);
        return kept.isPresent() ? kept.get() : keep(key, compile(text, Abi.ofMachine(), needed));
    }

    /// The program of one of ours, as the build makes it.
    static byte[] compile(String builtIn, Abi machine) throws IOException {
        var needed = builtIn.equals(BuiltIn.STANDARD) ? NEEDED : NEEDED_ON_TOP;
        return compile(BuiltIn.profile(builtIn), machine, needed);
    }

    private static byte[] compile(String text, Abi machine, List<String> needed) {
        var profile = ProfileText.read(text, machine);
        var missing = needed.stream().filter(name -> !profile.lets(name)).toList();
        if (!missing.isEmpty()) {
            throw new IllegalArgumentException("no job can begin without " + String.join(", ", missing));
        }
        return FilterProgram.of(profile, SystemCalls::of);
    }

    private Optional<Path> kept(String key) throws IOException {
        if (!Files.isDirectory(directory)) {
            return Optional.empty();
        }
        try (var files = Files.newDirectoryStream(directory, key + "-*" + SUFFIX)) {
            for (var file : files) {
                if (file.equals(named(key, Files.readAllBytes(file)))) {
                    return Optional.of(file);
                }
            }
        }
        return Optional.empty();
    }

    private Path keep(String key, byte[] program) throws IOException {
        Files.createDirectories(
                directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        var file = named(key, program);
        if (Files.exists(file) && Arrays.equals(Files.readAllBytes(file), program)) {
            return file;
        }
        var aside = Files.createTempFile(directory, ".", "");
        Files.write(aside, program);
        Files.move(aside, file, StandardCopyOption.ATOMIC_MOVE);
        return file;
    }

    private Path named(String key, byte[] program) {
        return directory.resolve(key + "-" + digest(program) + SUFFIX);
    }

    /// What tells one libseccomp of this machine from another.
    private static String library() {
        return LIBRARIES.stream()
                .filter(Files::exists)
                .map(path -> {
                    try {
                        var real = path.toRealPath();
                        return real + " " + Files.size(real) + " " + Files.getLastModifiedTime(real);
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                })
                .findFirst()
                .orElse("");
    }

    private static String digest(byte[] content) {
        try {
            var digest = MessageDigest.getInstance("SHA-256").digest(content);
            return HexFormat.of().formatHex(Arrays.copyOf(digest, DIGITS));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
