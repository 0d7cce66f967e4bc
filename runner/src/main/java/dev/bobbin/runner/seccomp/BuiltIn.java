package dev.bobbin.runner.seccomp;

import dev.bobbin.runner.kernel.Abi;
import dev.bobbin.runner.kernel.KernelException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;

/// Our own profile, and its programs as the build made them, so that no start has to.
final class BuiltIn {
    private static final String PROFILE = "default.json";
    private static final List<Abi> MACHINES = List.of(Abi.X86_64, Abi.AARCH64);

    private BuiltIn() {}

    static String profile() throws IOException {
        try (var in = BuiltIn.class.getResourceAsStream(PROFILE)) {
            return new String(Objects.requireNonNull(in, PROFILE).readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /// The profile's program for this kind of machine; absent if it was built where there is no libseccomp.
    static Optional<byte[]> program(Abi machine) throws IOException {
        try (var in = BuiltIn.class.getResourceAsStream(name(machine))) {
            return in == null ? Optional.empty() : Optional.of(in.readAllBytes());
        }
    }

    private static String name(Abi machine) {
        return "default-" + machine.name().toLowerCase(Locale.ROOT) + ".bpf";
    }

    /// Part of the build: makes the programs.
    ///
    /// @param arguments the directory of the classes
    public static void main(String[] arguments) throws IOException {
        var directory = Path.of(arguments[0], BuiltIn.class.getPackageName().replace('.', '/'));
        for (var machine : MACHINES) {
            try {
                Files.write(directory.resolve(name(machine)), Filters.compile(profile(), machine));
            } catch (KernelException e) {
                System.err.println("system-call filters will be made when Bobbin starts: " + e.getMessage());
            }
        }
    }
}
