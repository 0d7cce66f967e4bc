package dev.bobbin.runner.net.dns;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// A sandbox that asks for names, as the network knows it. Names are in small letters, without a dot at the end.
public interface Asker {
    /// The project whose sandboxes it may know, as a part of names.
    String project();

    /// Where in its project `name` or an alias of that is, itself among them; empty for none.
    List<Inet4Address> neighbours(String name);

    /// What the sandbox of its project at `address` is called.
    Optional<String> neighbour(Inet4Address address);

    /// Whether it may ask for `name` elsewhere.
    boolean mayResolve(String name);

    /// Whether it reaches only what [#grant] opens, and not every address out there.
    boolean pinned();

    /// Whether answers may lead it to `address`, which is not the machine's, nobody's private network, and the like.
    boolean mayBeLedTo(InetAddress address);

    /// Opens `addresses` for so long at least. Packets get through when this returns.
    void grant(List<Inet4Address> addresses, Duration time) throws IOException, InterruptedException;
}
