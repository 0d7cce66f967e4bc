package dev.bobbin.runner.net.dns;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Optional;

/// What a sandbox is told: what its neighbours are called, and what others say of the names that it may ask for.
final class Answers {
    /// Sandboxes come and go.
    private static final long NEIGHBOUR_SECONDS = 5;

    private static final String REVERSE = ".in-addr.arpa";
    private static final int FIRST_META_TYPE = 128;

    private final Upstream upstream;

    Answers(Upstream upstream) {
        this.upstream = upstream;
    }

    /// The answer to `query`, which may take seconds. What is opened for `asker` is open when this returns.
    Message to(Message query, Asker asker) {
        var question = query.question();
        var edns = query.edns();
        if ((query.flags() & Message.OPCODE) != 0) {
            return query.refused(ResponseCode.NOT_IMPLEMENTED);
        }
        if (question == null) {
            return query.refused(ResponseCode.FORMAT_ERROR);
        }
        if (edns != null && edns.version() != 0) {
            return query.refused(ResponseCode.BAD_VERSION);
        }
        if (question.dnsClass() != Types.IN || question.type() == Types.AXFR || question.type() == Types.IXFR) {
            return query.refused(ResponseCode.REFUSED);
        }
        return known(query, question, asker).orElseGet(() -> asked(query, question, asker));
    }

    /// The answer that needs nobody else.
    private static Optional<Message> known(Message query, Question question, Asker asker) {
        var text = question.name().text();
        if (text.isEmpty()) {
            return Optional.empty();
        }
        var addresses = neighbours(text.get(), asker);
        if (!addresses.isEmpty()) {
            return Optional.of(query.answered(ResponseCode.NO_ERROR, addresses(question, addresses)));
        }
        // a name without a dot is nobody's out there, and the machine's own servers may take it for one of theirs
        if (question.name().labels() == 1 && (question.type() == Types.A || question.type() == Types.AAAA)) {
            return Optional.of(query.refused(ResponseCode.NO_SUCH_NAME));
        }
        return address(text.get()).flatMap(address -> known(query, question, asker, address));
    }

    private static List<Inet4Address> neighbours(String name, Asker asker) {
        var plain = asker.neighbours(name);
        var project = "." + asker.project();
        return plain.isEmpty() && name.endsWith(project)
                ? asker.neighbours(name.substring(0, name.length() - project.length()))
                : plain;
    }

    private static List<ResourceRecord> addresses(Question question, List<Inet4Address> addresses) {
        return question.type() == Types.A || question.type() == Types.ANY
                ? addresses.stream()
                        .map(address -> ResourceRecord.address(question.name(), address, NEIGHBOUR_SECONDS))
                        .toList()
                : List.of();
    }

    /// What an address is called; of those that are not to be reached nobody else is asked.
    private static Optional<Message> known(Message query, Question question, Asker asker, Inet4Address address) {
        var name = asker.neighbour(address).flatMap(DomainName::of);
        if (name.isPresent()) {
            var wanted = question.type() == Types.PTR || question.type() == Types.ANY;
            var pointer = ResourceRecord.pointer(question.name(), name.get(), NEIGHBOUR_SECONDS);
            return Optional.of(query.answered(ResponseCode.NO_ERROR, wanted ? List.of(pointer) : List.of()));
        }
        return asker.mayBeLedTo(address) ? Optional.empty() : Optional.of(query.refused(ResponseCode.NO_SUCH_NAME));
    }

    /// The address whose name is asked for by `name`.
    private static Optional<Inet4Address> address(String name) {
        if (!name.endsWith(REVERSE)) {
            return Optional.empty();
        }
        var parts = name.substring(0, name.length() - REVERSE.length()).split("\\.", -1);
        var bytes = new byte[4];
        if (parts.length != bytes.length) {
            return Optional.empty();
        }
        for (var index = 0; index < bytes.length; index++) {
            if (!parts[index].matches("[0-9]{1,3}") || Integer.parseInt(parts[index]) > 255) {
                return Optional.empty();
            }
            bytes[bytes.length - 1 - index] = (byte) Integer.parseInt(parts[index]);
        }
        try {
            return Optional.of((Inet4Address) InetAddress.getByAddress(bytes));
        } catch (UnknownHostException e) {
            throw new IllegalStateException("four bytes are an address", e);
        }
    }

    private Message asked(Message query, Question question, Asker asker) {
        if (question.type() >= FIRST_META_TYPE && question.type() <= Types.ANY) {
            return query.refused(ResponseCode.NOT_IMPLEMENTED);
        }
        var text = question.name().text();
        if (asker.pinned() && (text.isEmpty() || !asker.mayResolve(text.get()))) {
            return query.refused(ResponseCode.REFUSED);
        }
        var edns = query.edns();
        var dnssec = edns != null && edns.dnssec();
        var found = upstream.ask(question, query.flags() & (Message.CHECKING_DISABLED | Message.AUTHENTIC), dnssec);
        if (found.isEmpty()) {
            return query.refused(ResponseCode.SERVER_FAILURE);
        }
        try {
            return asker.pinned()
                    ? Passage.pinned(query, question, found.get(), asker)
                    : Passage.open(query, found.get(), asker);
        } catch (IOException _) {
            return query.refused(ResponseCode.SERVER_FAILURE);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return query.refused(ResponseCode.SERVER_FAILURE);
        }
    }
}
