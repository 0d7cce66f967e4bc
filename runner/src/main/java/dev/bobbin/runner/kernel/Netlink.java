package dev.bobbin.runner.kernel;

import com.sun.jna.LastErrorException;
import com.sun.jna.Native;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.Consumer;

/// A socket to the kernel's tables of links, addresses and routes, or to those of its filters. Not safe for many
/// threads. A request is carried out
/// while it is sent, and waits for the lock that the whole machine has for such changes: not for a virtual thread.
public final class Netlink implements AutoCloseable {
    private static final int AF_NETLINK = 16;
    private static final int SOCK_RAW_CLOEXEC = 3 | 0x80000;
    private static final int NETLINK_ROUTE = 0;
    private static final int NETLINK_NETFILTER = 12;
    private static final int LONGEST_ANSWER = 1 << 16;
    private static final int HEADER = 16;
    private static final int ERROR = 2;
    private static final int DONE = 3;

    private final int socket;
    private final byte[] answer = new byte[LONGEST_ANSWER];

    /// The calls of the C library.
    private static final class Library {
        static {
            Native.register(Library.class, "c");
        }

        private Library() {}

        static native int socket(int family, int type, int protocol) throws LastErrorException;

        static native long send(int socket, byte[] data, long length, int flags) throws LastErrorException;

        static native long recv(int socket, byte[] data, long length, int flags) throws LastErrorException;

        static native int close(int socket) throws LastErrorException;
    }

    private Netlink(int socket) {
        this.socket = socket;
    }

    public static Netlink open() {
        return open(NETLINK_ROUTE);
    }

    /// One to the tables of filters.
    public static Netlink openForFilters() {
        return open(NETLINK_NETFILTER);
    }

    private static Netlink open(int protocol) {
        try {
            return new Netlink(Library.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, protocol));
        } catch (LastErrorException e) {
            throw new KernelException("open a netlink socket: " + e.getMessage(), e);
        }
    }

    /// Asks for one change.
    ///
    /// @return 0 once it is made, else the number of the error
    public int request(NetlinkMessage message) {
        send(message);
        var answers = receive();
        return answers.getShort(4) == ERROR ? -answers.getInt(HEADER) : 0;
    }

    /// Asks for a list.
    ///
    /// @param each given what follows the header of each answer, good for as long as that takes
    /// @throws KernelException if there is none
    public void list(NetlinkMessage message, Consumer<ByteBuffer> each) {
        send(message);
        while (true) {
            var answers = receive();
            while (answers.remaining() >= HEADER) {
                var start = answers.position();
                var length = answers.getInt(start);
                var type = answers.getShort(start + 4);
                if (type == ERROR) {
                    throw new KernelException("ask the kernel for a list: error " + -answers.getInt(start + HEADER));
                }
                if (type == DONE) {
                    return;
                }
                each.accept(answers.slice(start + HEADER, length - HEADER).order(ByteOrder.nativeOrder()));
                answers.position(Math.min(answers.limit(), start + NetlinkMessage.aligned(length)));
            }
        }
    }

    private void send(NetlinkMessage message) {
        var bytes = message.bytes();
        try {
            Library.send(socket, bytes, bytes.length, 0);
        } catch (LastErrorException e) {
            throw new KernelException("ask the kernel by netlink: " + e.getMessage(), e);
        }
    }

    private ByteBuffer receive() {
        try {
            var length = (int) Library.recv(socket, answer, answer.length, 0);
            return ByteBuffer.wrap(answer, 0, length).slice().order(ByteOrder.nativeOrder());
        } catch (LastErrorException e) {
            throw new KernelException("hear the kernel by netlink: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        Library.close(socket);
    }
}
