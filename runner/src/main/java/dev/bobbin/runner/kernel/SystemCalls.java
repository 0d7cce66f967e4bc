package dev.bobbin.runner.kernel;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// The kernel's calls by name, as libseccomp knows them. A library that is older than the kernel does not know them
/// all.
public final class SystemCalls {
    private static final String LIBRARY = "libseccomp.so.2";

    private SystemCalls() {}

    /// The functions of the library; bound when first used, so that its absence can be told in words.
    private static final class Library {
        static {
            Native.register(Library.class, LIBRARY);
        }

        private Library() {}

        static native Pointer seccomp_syscall_resolve_num_arch(int token, int number);
    }

    /// Numbers of the calls of `abi`.
    ///
    /// @throws KernelException if this machine has no libseccomp
    public static Map<String, Integer> of(Abi abi) {
        var numbers = new HashMap<String, Integer>();
        for (var number = abi.firstNumber(); number < abi.firstNumber() + Abi.MOST_NUMBERS; number++) {
            var known = number;
            name(abi, number).ifPresent(name -> numbers.put(name, known));
        }
        return numbers;
    }

    private static Optional<String> name(Abi abi, int number) {
        Pointer text;
        try {
            text = Library.seccomp_syscall_resolve_num_arch(abi.token(), number);
        } catch (LinkageError e) {
            throw new KernelException("libseccomp is missing: apt-get install libseccomp2", e);
        }
        if (text == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(text.getString(0));
        } finally {
            Native.free(Pointer.nativeValue(text));
        }
    }
}
