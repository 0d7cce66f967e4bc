package dev.bobbin.runner.kernel;

import com.sun.jna.Native;
import com.sun.jna.Pointer;

/// The kernel's packet filter, told in the language of nft(8). Not safe for many threads, and not for a virtual one: it
/// waits for whoever else changes rules.
public final class Nftables implements AutoCloseable {
    private static final String LIBRARY = "libnftables.so.1";

    private final Pointer context;

    /// The functions of the library; bound when first used, so that its absence can be told in words.
    private static final class Library {
        static {
            Native.register(Library.class, LIBRARY);
        }

        private Library() {}

        static native Pointer nft_ctx_new(int flags);

        static native void nft_ctx_free(Pointer context);

        static native int nft_ctx_buffer_output(Pointer context);

        static native int nft_ctx_buffer_error(Pointer context);

        static native String nft_ctx_get_output_buffer(Pointer context);

        static native String nft_ctx_get_error_buffer(Pointer context);

        static native int nft_run_cmd_from_buffer(Pointer context, String commands);
    }

    private Nftables(Pointer context) {
        this.context = context;
    }

    /// A way to the filter of the network that this process is in.
    ///
    /// @throws KernelException if this machine has no libnftables
    public static Nftables open() {
        try {
            var context = Library.nft_ctx_new(0);
            Library.nft_ctx_buffer_output(context);
            Library.nft_ctx_buffer_error(context);
            return new Nftables(context);
        } catch (LinkageError e) {
            throw new KernelException("libnftables is missing: apt-get install libnftables1", e);
        }
    }

    /// Carries out all of `commands` or none of them.
    ///
    /// @return what they print
    /// @throws KernelException with the library's words if they cannot be carried out
    public String run(String commands) {
        if (Library.nft_run_cmd_from_buffer(context, commands) != 0) {
            throw new KernelException("nftables: "
                    + Library.nft_ctx_get_error_buffer(context)
                            .strip()
                            .lines()
                            .findFirst()
                            .orElse("no reason given"));
        }
        return Library.nft_ctx_get_output_buffer(context);
    }

    @Override
    public void close() {
        Library.nft_ctx_free(context);
    }
}
