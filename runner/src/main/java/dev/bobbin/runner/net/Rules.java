package dev.bobbin.runner.net;

import dev.bobbin.runner.Cidr;
import dev.bobbin.runner.Network.PublishedPort;
import java.net.Inet4Address;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// What packets from and to sandboxes may do, in the language of nft(8): one table that is the same for all, and sets
/// that say what each may. For one thread.
final class Rules {
    /* Verdicts fall by the link that a packet comes from, never by the address that it claims: the first chain lets no
     * packet in whose source is not routed to that link. A sandbox of which nothing special is said needs no entry. */

    private static final String REJECT = "reject with icmpx admin-prohibited";
    private static final String GRANTED = "granted";

    /// Why packets are not let through.
    static final List<String> DENIALS =
            List.of("forged", "ipv6", "machine", "unasked", "closed", "private", "egress", "neighbour");

    private static final Pattern DENIED = Pattern.compile("counter denied_(\\w+) \\{\\s*packets (\\d+)");

    private final String table;
    private final Cidr part;
    private final Inet4Address gateway;
    private final Map<Circle, Integer> circles = new HashMap<>();
    private int lastCircle;

    Rules(String table, Cidr part, Inet4Address gateway) {
        this.table = table;
        this.part = part;
        this.gateway = gateway;
    }

    /// Commands that put the whole table in the place of what is there, at once.
    ///
    /// @param granted elements of the set of this name
    String whole(Collection<Member> members, List<String> granted) {
        var text = """
                add table inet TABLE
                delete table inet TABLE
                table inet TABLE {
                  COUNTERS
                  set closed { type ipv4_addr; flags interval; elements = { CLOSED } }
                  set private { type ipv4_addr; flags interval; elements = { PRIVATE } }
                  set names { type ipv4_addr; }
                  set restricted { type ipv4_addr; }
                  set allowed { type ipv4_addr . ipv4_addr; flags interval; }
                  set granted { type ipv4_addr . ipv4_addr; flags timeout; GRANTED }
                  map circle { type ipv4_addr : mark; }
                  set member { type mark . ipv4_addr; }
                  map ports { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }
                  map everywhere { type inet_proto . inet_service : ipv4_addr . inet_service; }
                  chain arrive {
                    type filter hook prerouting priority raw; policy accept;
                    iifname != "TABLE-*" return
                    meta nfproto ipv6 COUNT(ipv6) drop
                    ip daddr 127.0.0.0/8 COUNT(forged) drop
                    fib saddr . iif oif missing COUNT(forged) drop
                  }
                  chain publish {
                    type nat hook prerouting priority dstnat; policy accept;
                    iifname "TABLE-*" return
                    ip daddr 127.0.0.0/8 return
                    dnat ip to ip daddr . meta l4proto . th dport map @ports
                    fib daddr type local dnat ip to meta l4proto . th dport map @everywhere
                  }
                  chain publish_here {
                    type nat hook output priority -100; policy accept;
                    dnat ip to ip daddr . meta l4proto . th dport map @ports
                    fib daddr type local dnat ip to meta l4proto . th dport map @everywhere
                  }
                  chain leave {
                    type nat hook postrouting priority srcnat; policy accept;
                    oifname "TABLE-*" ip saddr 127.0.0.0/8 snat ip to GATEWAY
                    ip saddr PART oifname != "TABLE-*" masquerade
                  }
                  chain here {
                    type filter hook input priority filter; policy accept;
                    iifname != "TABLE-*" return
                    ct state established,related accept
                    ip daddr @names meta l4proto { tcp, udp } th dport 53 accept
                    COUNT(machine) REJECT
                  }
                  chain through {
                    type filter hook forward priority filter; policy accept;
                    iifname "TABLE-*" goto outward
                    oifname "TABLE-*" goto inward
                  }
                  chain inward {
                    ct state established,related accept
                    ct status dnat accept
                    COUNT(unasked) REJECT
                  }
                  chain outward {
                    ct state established,related accept
                    oifname "TABLE-*" goto between
                    ip daddr @closed COUNT(closed) REJECT
                    ip saddr . ip daddr @allowed accept
                    ip daddr @private COUNT(private) REJECT
                    ip saddr . ip daddr @granted accept
                    ip saddr @restricted COUNT(egress) REJECT
                    accept
                  }
                  chain between {
                    meta mark set 0
                    meta mark set ip saddr map @circle
                    meta mark . ip daddr @member accept
                    COUNT(neighbour) REJECT
                  }
                }
                """.replace("GRANTED", granted.isEmpty() ? "" : "elements = { " + String.join(", ", granted) + " }")
                .replace("COUNTERS", DENIALS.stream().map(Rules::counter).collect(Collectors.joining("\n")))
                .replaceAll("COUNT\\((\\w+)\\)", "counter name denied_$1")
                .replace("TABLE", table)
                .replace("CLOSED", list(Ranges.CLOSED))
                .replace("PRIVATE", list(Ranges.PRIVATE))
                .replace("GATEWAY", gateway.getHostAddress())
                .replace("PART", part.toString())
                .replace("REJECT", REJECT);
        return text + members.stream().map(this::added).collect(Collectors.joining());
    }

    private static String counter(String reason) {
        return "counter denied_" + reason + " { }";
    }

    /// The command that lists what [#denied] reads.
    String counted() {
        return "list counters table inet " + table;
    }

    /// How many packets were not let through since the table was written, by why.
    static Map<String, Long> denied(String listed) {
        var packets = new HashMap<String, Long>();
        var counter = DENIED.matcher(listed);
        while (counter.find()) {
            packets.put(counter.group(1), Long.parseLong(counter.group(2)));
        }
        return packets;
    }

    /// Commands that let sandboxes talk to who listens for questions at the gateway.
    String served() {
        return gateway("add");
    }

    /// Commands that end this.
    String unserved() {
        return gateway("add") + gateway("delete");
    }

    private String gateway(String verb) {
        var commands = new StringBuilder();
        element(commands, verb, "names", List.of(gateway.getHostAddress()));
        return commands.toString();
    }

    private static String list(List<Cidr> ranges) {
        return ranges.stream().map(Cidr::toString).collect(Collectors.joining(", "));
    }

    /// Commands that say what is special about `member`; empty if nothing is.
    String added(Member member) {
        return commands("add", member, true);
    }

    /// Commands that take back what [#added] said.
    String removed(Member member) {
        return commands("delete", member, false);
    }

    /// Nobody is in `circle` any more.
    void forget(Circle circle) {
        circles.remove(circle);
    }

    private String commands(String verb, Member member, boolean values) {
        var address = member.address().getHostAddress();
        var commands = new StringBuilder();
        if (member.circle() != null) {
            int circle = circles.computeIfAbsent(member.circle(), _ -> ++lastCircle);
            element(commands, verb, "circle", List.of(values ? address + " : " + circle : address));
            element(commands, verb, "member", List.of(circle + " . " + address));
        }
        var egress = member.bridge().egress();
        if (!egress.open()) {
            element(commands, verb, "restricted", List.of(address));
        }
        element(
                commands,
                verb,
                "allowed",
                Cidr.disjoint(egress.allowed()).stream()
                        .map(range -> address + " . " + range)
                        .toList());
        var ports = new ArrayList<String>();
        var everywhere = new ArrayList<String>();
        for (var port : member.bridge().ports()) {
            var key = port.protocol().word() + " . " + port.hostPort();
            var target = values ? " : " + address + " . " + port.port() : "";
            if (port.hostAddress().equals(PublishedPort.EVERY)) {
                everywhere.add(key + target);
            } else {
                ports.add(port.hostAddress().getHostAddress() + " . " + key + target);
            }
        }
        element(commands, verb, "ports", ports);
        element(commands, verb, "everywhere", everywhere);
        return commands.toString();
    }

    private void element(StringBuilder commands, String verb, String set, List<String> elements) {
        if (elements.isEmpty()) {
            return;
        }
        var list = new StringJoiner(", ", " { ", " }\n");
        elements.forEach(list::add);
        commands.append(verb)
                .append(" element inet ")
                .append(table)
                .append(' ')
                .append(set)
                .append(list);
    }

    /// Commands that let `sandbox` connect to each of `addresses` for so long from now on, even if it may already.
    String granted(Inet4Address sandbox, Collection<Inet4Address> addresses, long seconds) {
        var elements = addresses.stream()
                .map(address -> granted(sandbox, address, seconds))
                .toList();
        var commands = new StringBuilder(revoked(sandbox, addresses));
        element(commands, "add", GRANTED, elements);
        return commands.toString();
    }

    /// An element that lets it do so.
    static String granted(Inet4Address sandbox, Inet4Address address, long seconds) {
        return pair(sandbox, address) + " timeout " + seconds + "s";
    }

    /// Commands that end this, whether it may or not.
    String revoked(Inet4Address sandbox, Collection<Inet4Address> addresses) {
        var elements = addresses.stream().map(address -> pair(sandbox, address)).toList();
        var commands = new StringBuilder();
        // one that is there is not added, one that is not cannot be deleted
        element(commands, "add", GRANTED, elements);
        element(commands, "delete", GRANTED, elements);
        return commands.toString();
    }

    private static String pair(Inet4Address sandbox, Inet4Address address) {
        return sandbox.getHostAddress() + " . " + address.getHostAddress();
    }
}
