package dev.bobbin.runner.net;

import dev.bobbin.runner.Cidr;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.Network.Attachment;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.kernel.KernelException;
import dev.bobbin.runner.net.dns.Asker;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.Inet4Address;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Networks of this host's sandboxes: who may have which, and the bridge, which is made for the first that asks for it
/// and removed some seconds after the last. Safe for many threads.
public final class Networks implements AutoCloseable {
    /* All changes to the kernel are made by one thread of this class: they wait for locks that the whole machine shares,
     * and a virtual thread that waits in the kernel holds a processor's worth of others. The kernel is what remembers: the
     * address of a sandbox is in the name of its link, which ends with the sandbox, and cannot be made twice. */

    private static final System.Logger LOG = System.getLogger(Networks.class.getName());
    private static final Duration UNUSED = Duration.ofSeconds(10);
    private static final Duration LOOK = Duration.ofSeconds(2);
    private static final Duration LAST_WAIT = Duration.ofSeconds(10);

    private final NetworkConfig config;
    private final String name;
    private final Ports ports = new Ports();
    private final Members members = new Members();
    private final ScheduledExecutorService worker;
    private volatile boolean closed;

    // of the worker
    private final Bridge bridge;
    private long unusedSince;

    /// The answer to a request for a network.
    public sealed interface Answer {
        /// It has its network, or will have from its beginning.
        ///
        /// @param attachment `null` unless it is on the bridge
        record Ready(@Nullable Attachment attachment) implements Answer {}

        record Refused(Refusal refusal) implements Answer {}
    }

    private Networks(NetworkConfig config, Path runDir, MeterRegistry meters) {
        this.config = config;
        this.name = BridgeName.of(runDir);
        this.bridge = new Bridge(config, name, runDir, this::asker, new NetworkMeters(meters, members));
        this.worker = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name("networks").factory());
    }

    /// Those of the host with this run directory. Nothing is made before somebody asks.
    public static Networks open(NetworkConfig config, Path runDir, MeterRegistry meters) {
        return new Networks(config, runDir, meters);
    }

    /// Names of what the bridge of `runDir` is to this machine: its links and its table of rules, if they are there.
    public static List<String> present(Path runDir) {
        return Bridge.present(BridgeName.of(runDir));
    }

    /// Removes what a server left that was killed, of which no sandbox lives.
    public static void removeLeftovers(Path runDir) {
        Bridge.removeLeftovers(BridgeName.of(runDir));
    }

    /// Why a sandbox may not have `network`, if so.
    public Optional<Refusal> forbidden(Network network) {
        return switch (network) {
            case Network.None _ -> Optional.empty();
            case Network.Host _ ->
                config.host()
                        ? Optional.empty()
                        : Optional.of(forbidden(
                                "network",
                                "this machine's own network is not for jobs unless host.network.host: on says so"));
            case Network.Bridge wanted -> {
                for (var range : wanted.egress().allowed()) {
                    if (!mayAllow(range)) {
                        yield Optional.of(
                                forbidden("network.egress.allow", range + " is not within host.network.allowed"));
                    }
                }
                yield Optional.empty();
            }
        };
    }

    private boolean mayAllow(Cidr range) {
        return Ranges.CLOSED.stream().noneMatch(closedRange -> closedRange.contains(range))
                && (Ranges.PRIVATE.stream().noneMatch(range::meets)
                        || config.allowed().stream().anyMatch(open -> open.contains(range)));
    }

    private static Refusal forbidden(String field, String why) {
        return new Refusal(Refusal.Reason.FORBIDDEN, field + ": " + why, field);
    }

    /// Gives the sandbox whose PID 1 is `pid` its network, as far as it does not have that from its beginning.
    ///
    /// @param names by which its project finds it, besides its aliases
    public Answer attach(SandboxId id, String tenant, List<String> names, Network network, int pid)
            throws InterruptedException {
        if (!(network instanceof Network.Bridge wanted)) {
            return new Answer.Ready(null);
        }
        try {
            return onWorker(() -> attachNow(id, tenant, names, wanted, pid));
        } catch (KernelException e) {
            detach(id);
            LOG.log(Level.ERROR, "sandbox " + id + " gets no network", e);
            return new Answer.Refused(new Refusal(Refusal.Reason.DEGRADED, "network: " + e.getMessage(), "network"));
        } catch (InterruptedException e) {
            worker.execute(() -> detach(id)); // after what was asked for, which may still be done
            throw e;
        } catch (RuntimeException e) {
            detach(id);
            throw e;
        }
    }

    private Answer attachNow(SandboxId id, String tenant, List<String> names, Network.Bridge wanted, int pid) {
        Network.Bridge held;
        try {
            held = new Network.Bridge(
                    wanted.project(), wanted.aliases(), ports.hold(id, wanted.ports()), wanted.egress());
        } catch (Ports.Taken taken) {
            var field = "ports[" + taken.index() + "].host_port";
            return new Answer.Refused(new Refusal(Refusal.Reason.PORT_TAKEN, field + ": " + taken.getMessage(), field));
        }
        bridge.make(members.all());
        var member = bridge.add(
                address -> Member.of(id, tenant, names, new Attachment(address, bridge.gateway(), held)),
                pid,
                members.all());
        note(member);
        return new Answer.Ready(member.place());
    }

    private void note(Member member) {
        members.note(member);
        unusedSince = 0;
    }

    /// Notes a sandbox that outlived a server. What is in force of it stays so.
    ///
    public void keep(SandboxId id, String tenant, List<String> names, Attachment place) {
        try {
            ports.hold(id, place.bridge().ports());
        } catch (Ports.Taken taken) {
            LOG.log(
                    Level.WARNING,
                    "sandbox " + id + " has it all the same, but somebody else, too: " + taken.getMessage());
        }
        note(Member.of(id, tenant, names, place));
    }

    /// All that outlived a server are noted: from now on their rules are in force as this server writes them, and of
    /// others nothing is left.
    public void settled() {
        try {
            onWorker(() -> {
                bridge.find(members.all());
                return true;
            });
        } catch (KernelException e) {
            LOG.log(Level.ERROR, "the bridge of before cannot be used: " + e.getMessage(), e);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        var _ = worker.scheduleWithFixedDelay(this::look, LOOK.toMillis(), LOOK.toMillis(), TimeUnit.MILLISECONDS);
    }

    /// Whether all is in force that should be, and whether it is needed.
    private void look() {
        try {
            bridge.forgetFlows(members.all());
            if (!members.all().isEmpty()) {
                bridge.mend(members.all());
                return;
            }
            var now = System.nanoTime();
            if (unusedSince == 0) {
                unusedSince = now;
            }
            if (now - unusedSince > UNUSED.toNanos()) {
                bridge.remove();
            }
        } catch (RuntimeException e) {
            LOG.log(Level.WARNING, "the bridge " + name + ": " + e.getMessage());
        }
    }

    /// Takes a sandbox off that is no more, or never was. Its link goes with it.
    public void detach(SandboxId id) {
        var member = members.remove(id).orElse(null);
        if (closed) {
            ports.release(id);
        } else if (member != null || ports.hasAny(id)) {
            worker.execute(() -> dropNow(id, member));
        }
    }

    private void dropNow(SandboxId id, @Nullable Member member) {
        try {
            if (member != null) {
                bridge.drop(member, members.all());
            }
        } catch (RuntimeException e) {
            LOG.log(Level.WARNING, "the bridge " + name + ": " + e.getMessage());
        } finally {
            // not before its rules are gone, or they lead who comes to the next one elsewhere
            ports.release(id);
        }
    }

    /// A sandbox is called otherwise from now on.
    ///
    /// @param names by which its project finds it, besides its aliases
    public void renamed(SandboxId id, List<String> names) {
        members.rename(id, names);
    }

    private Optional<Asker> asker(Inet4Address source) {
        return members.at(source).map(member -> new Neighbour(member, this));
    }

    /// Members of the same project, `member` among them.
    List<Member> circle(Member member) {
        return members.circle(member);
    }

    /// Lets `member` connect to `addresses`, for so long at least.
    void grant(Member member, Collection<Inet4Address> addresses, Duration time)
            throws IOException, InterruptedException {
        try {
            onWorker(() -> {
                if (members.has(member)) {
                    bridge.grant(member, addresses, time);
                }
                return true;
            });
        } catch (KernelException e) {
            throw new IOException(e);
        }
    }

    private <T> T onWorker(Callable<T> work) throws InterruptedException {
        try {
            return worker.submit(work).get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof KernelException known) {
                throw known;
            }
            throw new KernelException("change the bridge " + name + ": " + e.getCause(), e);
        }
    }

    /// Lets go of everything that no sandbox needs.
    @Override
    public void close() {
        closed = true;
        worker.execute(() -> {
            try {
                bridge.leave(members.all().isEmpty());
            } catch (RuntimeException e) {
                LOG.log(Level.WARNING, "the bridge " + name + ": " + e.getMessage());
            }
        });
        worker.shutdown();
        try {
            if (!worker.awaitTermination(LAST_WAIT.toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.log(Level.WARNING, "the bridge " + name + " is still being changed");
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        ports.releaseAll();
    }
}
