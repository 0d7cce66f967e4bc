package dev.bobbin.runner.net.dns;

import java.io.IOException;
import java.net.Inet4Address;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What of another's answer is passed on to a sandbox: nothing that would lead it where it may not go, so that
/// nobody can give the machine's own network a name of theirs.
final class Passage {
    /// A program uses an address a little longer than it may.
    private static final Duration SHORTEST_GRANT = Duration.ofMinutes(1);

    private static final Duration LONGEST_GRANT = Duration.ofHours(1);
    /// Of one answer; a program tries the first few.
    private static final int MOST_ADDRESSES = 32;

    private Passage() {}

    /// The answer to a sandbox that reaches everything that is public.
    static Message open(Message query, Message found, Asker asker) {
        var answers = allowed(found.answers(), asker);
        var authority = allowed(found.authority(), asker);
        var additional = allowed(found.additional(), asker);
        var authentic = answers.size() == found.answers().size()
                        && authority.size() == found.authority().size()
                ? found.flags() & Message.AUTHENTIC
                : 0;
        return query.answered(query.flags(authentic), found.code(), answers, authority, additional);
    }

    private static List<ResourceRecord> allowed(List<ResourceRecord> records, Asker asker) {
        return records.stream()
                .filter(each -> each.address().map(asker::mayBeLedTo).orElse(true))
                .toList();
    }

    /// The answer to a sandbox that reaches only what it has names for: only what the question leads to is passed on,
    /// and that is opened first. Hints of addresses in other records would not be, so those are not passed on.
    static Message pinned(Message query, Question question, Message found, Asker asker)
            throws IOException, InterruptedException {
        if (question.type() == Types.SVCB || question.type() == Types.HTTPS) {
            return query.answered(query.flags(0), found.code(), List.of(), found.authority(), List.of());
        }
        var names = chain(question.name(), found.answers());
        var passing = allowed(found.answers(), asker).stream()
                .filter(each -> names.contains(each.owner()))
                .map(each -> each.within(LONGEST_GRANT.toSeconds()))
                .toList();
        var opened = passing.stream()
                .flatMap(each -> opens(each).stream())
                .distinct()
                .limit(MOST_ADDRESSES)
                .toList();
        var answers = passing.stream()
                .filter(each -> opens(each).map(opened::contains).orElse(true))
                .toList();
        if (!opened.isEmpty()) {
            var seconds = answers.stream()
                    .filter(each -> each.type() == Types.A)
                    .mapToLong(ResourceRecord::ttlSeconds)
                    .reduce(SHORTEST_GRANT.toSeconds(), Math::max);
            asker.grant(opened, Duration.ofSeconds(seconds));
        }
        return query.answered(query.flags(0), found.code(), answers, allowed(found.authority(), asker), List.of());
    }

    /// The address that is to be open to who is told this.
    private static Optional<Inet4Address> opens(ResourceRecord told) {
        return told.type() == Types.A ? told.address().map(Inet4Address.class::cast) : Optional.empty();
    }

    /// The name and all that it is another name of.
    private static Set<DomainName> chain(DomainName name, List<ResourceRecord> answers) {
        var names = new HashSet<DomainName>();
        var last = name;
        while (names.add(last)) {
            var current = last;
            last = answers.stream()
                    .filter(each -> each.owner().equals(current))
                    .flatMap(each -> each.alias().stream())
                    .findFirst()
                    .orElse(current);
        }
        return names;
    }
}
