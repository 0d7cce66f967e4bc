package dev.bobbin.runner.kernel;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Makes programs of filters by the library's own means, to compare ours with. Close it to free its memory.
public final class Libseccomp implements AutoCloseable {
    private static final int CONDITION_BYTES = 24;

    private static final int OPTIMIZE = 8;
    private static final int BINARY_TREE = 2;

    static {
        Native.register(Libseccomp.class, "libseccomp.so.2");
    }

    /// What the system's C library has.
    private static final class C {
        static {
            Native.register(C.class, "c");
        }

        private C() {}

        static native int memfd_create(String name, int flags);

        static native long pread(int file, byte[] to, long count, long from);

        static native int close(int file);
    }

    private final Pointer filter;

    /// @param otherwise what the program answers if no rule is about a call
    public Libseccomp(int otherwise, List<Abi> besides) {
        filter = seccomp_init(otherwise);
        check(seccomp_attr_set(filter, OPTIMIZE, BINARY_TREE), "optimize");
        besides.forEach(abi -> check(seccomp_arch_add(filter, abi.token()), abi.name()));
    }

    /// A comparison in the library's words: operators count from 1 in the order of its header.
    public record Comparison(int argument, int operator, long value, long masked) {}

    /// Adds a rule; calls that the library does not know are passed over.
    public void rule(int action, String name, List<Comparison> comparisons) {
        var number = seccomp_syscall_resolve_name(name);
        if (number == -1) {
            return;
        }
        Memory memory = null;
        if (!comparisons.isEmpty()) {
            memory = new Memory((long) CONDITION_BYTES * comparisons.size());
            for (var i = 0; i < comparisons.size(); i++) {
                var each = comparisons.get(i);
                memory.setInt((long) i * CONDITION_BYTES, each.argument());
                memory.setInt((long) i * CONDITION_BYTES + 4, each.operator());
                memory.setLong((long) i * CONDITION_BYTES + 8, each.value());
                memory.setLong((long) i * CONDITION_BYTES + 16, each.masked());
            }
        }
        check(seccomp_rule_add_array(filter, action, number, comparisons.size(), memory), name);
    }

    public byte[] program() {
        var file = C.memfd_create("program", 0);
        try {
            check(seccomp_export_bpf(filter, file), "export");
            var bytes = new byte[1 << 20];
            return java.util.Arrays.copyOf(bytes, (int) C.pread(file, bytes, bytes.length, 0));
        } finally {
            C.close(file);
        }
    }

    @Override
    public void close() {
        seccomp_release(filter);
    }

    private static void check(int result, String what) {
        if (result != 0) {
            throw new IllegalStateException(what + ": " + result);
        }
    }

    private static native Pointer seccomp_init(int action);

    private static native int seccomp_attr_set(Pointer filter, int attribute, int value);

    private static native void seccomp_release(Pointer filter);

    private static native int seccomp_arch_add(Pointer filter, int token);

    private static native int seccomp_syscall_resolve_name(String name);

    private static native int seccomp_rule_add_array(
            Pointer filter, int action, int number, int count, @Nullable Pointer comparisons);

    private static native int seccomp_export_bpf(Pointer filter, int file);
}
