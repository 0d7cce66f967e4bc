package dev.bobbin.runner;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What holds for the fields that several kinds of job share; each check throws an [IllegalArgumentException] that
/// starts with the field's name.
final class JobFields {
    private static final int MOST_ARGUMENTS = 4096;
    /// The kernel's MAX_ARG_STRLEN, its final NUL included.
    private static final int LONGEST_STRING = 128 * 1024;
    /// Leaves room below the kernel's six megabytes for argv and environment together.
    private static final int MOST_BYTES = 1024 * 1024;
    private static final int LONGEST_PATH = 4095;

    private JobFields() {}

    static void check(List<String> command, Map<String, String> env) {
        require(command.size() <= MOST_ARGUMENTS, "command: has at most " + MOST_ARGUMENTS + " arguments");
        var bytes = 0L;
        for (var index = 0; index < command.size(); index++) {
            bytes += checkString("command[" + index + "]", command.get(index));
        }
        require(command.isEmpty() || !command.getFirst().isEmpty(), "command[0]: must not be empty");
        require(
                command.isEmpty() || !isKernelPath(command.getFirst()),
                "command[0]: must not lie in /proc, /sys or /dev");
        for (var variable : env.entrySet()) {
            var name = variable.getKey();
            require(!name.isEmpty() && name.indexOf('=') < 0, "env: a name must not be empty or contain '='");
            bytes += checkString("env." + name, name + "=" + variable.getValue());
        }
        require(bytes <= MOST_BYTES, "command: with env has at most 1 MiB");
    }

    static void checkPlace(@Nullable String workdir, @Nullable String user) {
        if (workdir != null) {
            require(workdir.startsWith("/"), "workdir: must be an absolute path");
            require(workdir.length() <= LONGEST_PATH, "workdir: has at most 4095 bytes");
            require(!List.of(workdir.split("/")).contains(".."), "workdir: must not have \"..\" parts");
            require(!isKernelPath(workdir), "workdir: must not lie in /proc, /sys or /dev");
            checkString("workdir", workdir);
        }
        if (user != null) {
            require(!user.isEmpty(), "user: must not be empty");
            checkString("user", user);
        }
    }

    static void checkTerminal(@Nullable Terminal terminal, Stdin stdin) {
        require(terminal == null || stdin instanceof Stdin.Open, "stdin: must be open where there is a terminal");
    }

    private static int checkString(String field, String value) {
        require(value.indexOf('\0') < 0, field + ": must not contain a NUL character");
        var bytes = value.getBytes(StandardCharsets.UTF_8).length + 1;
        require(bytes <= LONGEST_STRING, field + ": has at most 131071 bytes");
        return bytes;
    }

    static boolean isKernelPath(String path) {
        var plain = path.replaceAll("/(\\./|/)*", "/");
        return List.of("/proc", "/sys", "/dev").stream()
                .anyMatch(top -> plain.equals(top) || plain.startsWith(top + "/"));
    }

    static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }
}
