package dev.bobbin.runner.seccomp;

import dev.bobbin.runner.kernel.Abi;
import dev.bobbin.runner.kernel.KernelException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;

/// Our own profiles, and their programs as the build made them, so that no start has to.
final class BuiltIn {
    /// What a job may call unless the machine's owner says otherwise.
    static final String STANDARD = "default";

    /// Those that a job may ask for on top of it.
    static final List<String> STRICTER = List.of("moderate", "restrictive");

    private static final List<Abi> MACHINES = List.of(Abi.X86_64, Abi.AARCH64);

    private BuiltIn() {}

    static String profile(String name) throws IOException {
        var file = name + ".json";
        try (var in = BuiltIn.class.getResourceAsStream(file)) {
            return new String(Objects.requireNonNull(in, file).readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /// The profile's program for this kind of machine; absent if it was built where there is no libseccomp.
    static Optional<byte[]> program(String name, Abi machine) throws IOException {
        try (var in = BuiltIn.class.getResourceAsStream(file(name, machine))) {
            return in == null ? Optional.empty() : Optional.of(in.readAllBytes());
        }
    }

    private static String file(String name, Abi machine) {
        return name + "-" + machine.name().toLowerCase(Locale.ROOT) + ".bpf";
    }

    /// Part of the build: makes the programs.
    ///
    /// @param arguments the directory of the classes
    public static void main(String[] arguments) throws IOException {
        var directory = Path.of(arguments[0], BuiltIn.class.getPackageName().replace('.', '/'));
        var names = new ArrayList<>(STRICTER);
        names.add(STANDARD);
        try {
            for (var machine : MACHINES) {
                for (var name : names) {
                    Files.write(directory.resolve(file(name, machine)), Filters.compile(name, machine));
                }
            }
        } catch (KernelException e) {
            System.err.println("system-call filters will be made when Bobbin starts: " + e.getMessage());
        }
    }
}
