package dev.bobbin.runner.kernel;

import java.util.Arrays;
import java.util.Optional;

/// One of the ways in which a program may call the kernel, each with numbers of its own.
public enum Abi {
    X86_64("SCMP_ARCH_X86_64", 0xc000003e, 0xc000003e, 0),
    /// The calls of 64-bit code with 32-bit pointers; to a filter it looks like [#X86_64], but for one bit of the
    /// number.
    X32("SCMP_ARCH_X32", 0x4000003e, 0xc000003e, 0x40000000),
    /// 32-bit code, which every process of this kernel may turn to.
    X86("SCMP_ARCH_X86", 0x40000003, 0x40000003, 0),
    AARCH64("SCMP_ARCH_AARCH64", 0xc00000b7, 0xc00000b7, 0),
    ARM("SCMP_ARCH_ARM", 0x40000028, 0x40000028, 0);

    /// Past every number of a call, from the first one of this ABI.
    static final int MOST_NUMBERS = 640;

    private final String word;
    private final int token;
    private final int architecture;
    private final int firstNumber;

    Abi(String word, int token, int architecture, int firstNumber) {
        this.word = word;
        this.token = token;
        this.architecture = architecture;
        this.firstNumber = firstNumber;
    }

    /// Of 64-bit programs on this machine.
    public static Abi ofMachine() {
        return switch (System.getProperty("os.arch")) {
            case "amd64" -> X86_64;
            case "aarch64" -> AARCH64;
            default ->
                throw new UnsupportedOperationException("no system-call filter for " + System.getProperty("os.arch"));
        };
    }

    /// The one that profiles call `word`.
    public static Optional<Abi> named(String word) {
        return Arrays.stream(values()).filter(abi -> abi.word.equals(word)).findFirst();
    }

    /// What the library calls it.
    int token() {
        return token;
    }

    /// What the kernel tells a filter.
    public int architecture() {
        return architecture;
    }

    /// Whether arguments have 32 bits.
    public boolean isNarrow() {
        return this == X86 || this == ARM;
    }

    /// Where its numbers begin.
    public int firstNumber() {
        return firstNumber;
    }
}
