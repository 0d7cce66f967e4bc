package dev.bobbin.runner.net;

import dev.bobbin.runner.kernel.KernelException;
import dev.bobbin.runner.kernel.Nftables;
import dev.bobbin.runner.net.dns.DnsConfig;
import dev.bobbin.runner.net.dns.NameServer;
import dev.bobbin.runner.net.dns.Neighbours;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.Inet4Address;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// The bridge of one Bobbin while it exists: addresses, links, rules and its name server. For one thread, but
/// [#gateway].
final class Bridge {
    /* There is no bridge between sandboxes: each has a link of its own to this machine, with a route to its one address, so
     * that every packet, those between sandboxes too, passes this machine's rules. The link of kind bridge that gives the
     * whole its name has no ports; it holds the gateway's address. */

    private static final System.Logger LOG = System.getLogger(Bridge.class.getName());
    private static final int DNS = 53;

    private final NetworkConfig config;
    private final String name;
    private final Path runDir;
    private final Neighbours neighbours;
    private final NetworkMeters meters;
    private final Grants grants = new Grants();

    private volatile @Nullable Part part;
    private @Nullable Links links;
    private @Nullable Nftables filter;
    private @Nullable Flows flows;
    private @Nullable Rules rules;
    private @Nullable NameServer server;
    /// Whether it was said that there is no name server.
    private boolean silent;

    /// Whether it was said that the kernel does not let go of flows.
    private boolean remembering;

    private int next = -1;
    /// Numbers of addresses that somebody had whose flows the kernel may remember.
    private final BitSet left = new BitSet();

    Bridge(NetworkConfig config, String name, Path runDir, Neighbours neighbours, NetworkMeters meters) {
        this.meters = meters;
        this.config = config;
        this.name = name;
        this.runDir = runDir;
        this.neighbours = neighbours;
    }

    /// Where sandboxes send what is not for themselves, and whom they ask for names; once there is a bridge.
    Inet4Address gateway() {
        return chosen().gateway();
    }

    private Part chosen() {
        var now = part;
        if (now == null) {
            throw new IllegalStateException("there is no bridge");
        }
        return now;
    }

    /// Makes it unless it is there.
    void make(Collection<Member> members) {
        if (part != null) {
            return;
        }
        filter(); // before anything is made, for it may be missing
        var made = links();
        Links.forward();
        var here = Part.present(name);
        try {
            use(here.orElseGet(() -> Part.choose(config, runDir, made)), members);
        } catch (RuntimeException e) {
            if (here.isEmpty()) {
                remove();
            }
            throw e;
        }
        serve();
    }

    /// Goes on with what an earlier server made, if anybody is on it, or removes it.
    void find(Collection<Member> members) {
        if (Links.present(name).isEmpty() || part != null) {
            return;
        }
        if (members.isEmpty()) {
            remove();
            return;
        }
        var found = Part.present(name)
                .orElseThrow(() -> new KernelException("its address is gone, though sandboxes are on it"));
        var living = members.stream().map(Member::address).collect(Collectors.toSet());
        grants.note(granted(), living::contains);
        var known = living.stream().map(found::indexOf).collect(Collectors.toSet());
        links().removeAll(index -> !known.contains(index));
        use(found, members);
        Links.forward();
        serve();
    }

    private void use(Part found, Collection<Member> members) {
        rules = new Rules(name, found.range(), found.gateway());
        write(members);
        part = found;
        left.set(Part.FIRST, Part.LAST + 1); // whoever was here before
        forgetFlows(members);
    }

    /// Lets the kernel forget flows of all that are no more, lest somebody get the answers to their questions.
    void forgetFlows(Collection<Member> members) {
        if (part == null || left.isEmpty()) {
            return;
        }
        var here = chosen();
        var living = members.stream().map(Member::address).collect(Collectors.toSet());
        try {
            flows().forget(address ->
                    here.range().contains(address) && !address.equals(here.gateway()) && !living.contains(address));
        } catch (KernelException e) {
            LOG.log(
                    remembering ? Level.DEBUG : Level.WARNING,
                    "answers to sandboxes that are gone may reach others on " + name + ": " + e.getMessage());
            remembering = true;
        }
        // a link that is still there may begin more, and nobody has its address before it is gone
        left.and(links().indexes());
        living.forEach(address -> left.clear(here.indexOf(address)));
    }

    private Flows flows() {
        if (flows == null) {
            flows = new Flows();
        }
        return flows;
    }

    /// Writes the rules anew if somebody has removed them, as `nft flush ruleset` does.
    void mend(Collection<Member> members) {
        if (part == null || rules == null) {
            return;
        }
        if (!filter().run("list tables inet").contains(name)) {
            LOG.log(Level.WARNING, "the rules of " + name + " were removed by somebody; they are in force again");
            write(members);
        }
        count();
        if (server == null) {
            serve();
        }
    }

    private void write(Collection<Member> members) {
        var commands = knownRules().whole(members, grants.elements());
        count();
        filter().run(server == null ? commands : commands + knownRules().served());
        meters.countedAnew();
    }

    /// Takes note of what was denied up to now.
    private void count() {
        if (part != null) {
            try {
                meters.denied(Rules.denied(filter().run(knownRules().counted())));
            } catch (KernelException e) {
                LOG.log(Level.DEBUG, "the rules of " + name + " are gone, and what they counted", e);
            }
        }
    }

    private void serve() {
        try {
            server = listen();
            silent = false;
        } catch (IOException | KernelException e) {
            LOG.log(silent ? Level.DEBUG : Level.WARNING, "no names for sandboxes on " + name + ": " + e.getMessage());
            silent = true;
        }
    }

    private NameServer listen() throws IOException {
        var listening = NameServer.listen(
                new InetSocketAddress(gateway(), DNS),
                neighbours,
                new DnsConfig(config.dns(), DnsConfig.MACHINE.resolvConf()),
                meters::asked);
        try {
            // before that, who listens there may be somebody else
            filter().run(knownRules().served());
            return listening;
        } catch (KernelException e) {
            listening.close();
            throw e;
        }
    }

    private Nftables filter() {
        if (filter == null) {
            filter = Nftables.open();
        }
        return filter;
    }

    private Links links() {
        if (links == null) {
            links = new Links(name);
        }
        return links;
    }

    /// Puts a sandbox on it, at an address that nobody has.
    ///
    /// @param others who is on it
    Member add(Function<Inet4Address, Member> making, int pid, Collection<Member> others) {
        var index = link(pid, others);
        var member = making.apply(chosen().address(index));
        try {
            if (!member.bridge().ports().isEmpty()) {
                links().answerLoopback(index);
            }
            var commands = knownRules().added(member);
            if (!commands.isEmpty()) {
                filter().run(commands);
            }
            return member;
        } catch (RuntimeException e) {
            links().remove(index);
            throw e;
        }
    }

    private Rules knownRules() {
        if (rules == null) {
            throw new IllegalStateException("there is no bridge");
        }
        return rules;
    }

    private int link(int pid, Collection<Member> others) {
        if (next < Part.FIRST) {
            next = ThreadLocalRandom.current().nextInt(Part.FIRST, Part.LAST);
        }
        for (var tried = Part.FIRST; tried <= Part.LAST; tried++) {
            var index = next;
            next = next == Part.LAST ? Part.FIRST : next + 1;
            if (left.get(index)) {
                forgetFlows(others);
            }
            if (left.get(index) || has(others, index)) {
                continue;
            }
            if (links().make(index, chosen().address(index), gateway(), pid)) {
                return index;
            }
        }
        throw new KernelException("every address of " + chosen() + " is in use");
    }

    /// Whether somebody has it, be there a link or not: root of a network of its own may have taken its away.
    private boolean has(Collection<Member> members, int index) {
        return members.stream().anyMatch(member -> chosen().indexOf(member.address()) == index);
    }

    /// Takes a sandbox off; `others` stay.
    void drop(Member member, Collection<Member> others) {
        if (part == null) {
            return;
        }
        left.set(chosen().indexOf(member.address()));
        var known = knownRules();
        var commands = known.removed(member) + known.revoked(member.address(), grants.forget(member.address()));
        if (commands.isEmpty()) {
            return;
        }
        if (!member.bridge().egress().open()) {
            // some of its processes may live on for a moment, and without its rules they may reach more
            links().remove(chosen().indexOf(member.address()));
        }
        try {
            filter().run(commands);
        } catch (KernelException e) {
            LOG.log(Level.DEBUG, "the rules of " + name + " are written anew", e);
            write(others);
        }
        var circle = member.circle();
        if (circle != null && others.stream().noneMatch(other -> circle.equals(other.circle()))) {
            known.forget(circle);
        }
    }

    /// Lets `member` connect to `addresses` for so long.
    ///
    /// @throws KernelException if too many are open to it already
    void grant(Member member, Collection<Inet4Address> addresses, Duration time) {
        if (part != null) {
            grants.open(member.address(), addresses, time, knownRules(), filter()::run);
        }
    }

    /// What the kernel still lets through of what an earlier server granted.
    private String granted() {
        try {
            return filter().run("list set inet " + name + " granted");
        } catch (KernelException e) {
            LOG.log(Level.DEBUG, "no rules of an earlier server", e);
            return "";
        }
    }

    /// Takes everything of it away.
    void remove() {
        var was = part;
        count();
        stopServing();
        part = null;
        rules = null;
        grants.clear();
        if (was != null || !Links.present(name).isEmpty()) {
            remove(name, filter(), links());
        }
    }

    private void stopServing() {
        if (server == null) {
            return;
        }
        try {
            filter().run(knownRules().unserved());
        } catch (KernelException e) {
            LOG.log(Level.DEBUG, "the rules of " + name + " are gone", e);
        }
        server.close();
        server = null;
    }

    /// This server goes.
    ///
    /// @param unused whether nobody is on it
    void leave(boolean unused) {
        stopServing();
        if (unused) {
            remove();
        }
        if (filter != null) {
            filter.close();
        }
        if (links != null) {
            links.close();
        }
        if (flows != null) {
            flows.close();
        }
    }

    private static void remove(String name, Nftables filter, Links links) {
        // nobody whom the rules held back is there without them
        links.removeAll(_ -> true);
        filter.run("add table inet " + name + "\ndelete table inet " + name);
        links.removeBridge();
    }

    static List<String> present(String name) {
        var all = new ArrayList<>(Links.present(name));
        if (!all.isEmpty()) {
            try (var filter = Nftables.open()) {
                filter.run("list tables inet")
                        .lines()
                        .filter(line -> line.endsWith(name))
                        .forEach(all::add);
            }
        }
        return all;
    }

    static void removeLeftovers(String name) {
        if (Links.present(name).isEmpty()) {
            return;
        }
        try (var filter = Nftables.open();
                var links = new Links(name)) {
            remove(name, filter, links);
        }
    }
}
