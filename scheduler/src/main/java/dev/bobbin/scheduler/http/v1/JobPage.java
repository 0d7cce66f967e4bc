package dev.bobbin.scheduler.http.v1;

import dev.bobbin.runner.Execution;
import dev.bobbin.runner.JobId;
import dev.bobbin.scheduler.http.exchange.Json;
import dev.bobbin.scheduler.http.exchange.Rejected;
import io.helidon.webserver.http.ServerRequest;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Which part of a list of jobs is wanted: those of some states, with some labels, from one on.
///
/// @param states any of these; empty for all
/// @param labels all of these
/// @param before the job behind which it begins; nothing for the newest
record JobPage(Set<String> states, List<SandboxPage.Label> labels, Optional<JobId> before, int limit) {
    private static final Set<String> STATES = Set.of(JobJson.RUNNING, JobJson.ENDED);

    JobPage {
        states = Set.copyOf(states);
        labels = List.copyOf(labels);
    }

    /// What the request asks for: `state` and `label` may come several times; any of the states, all of the labels.
    static JobPage asked(ServerRequest request) {
        var states = new HashSet<String>();
        for (var word : request.query().all("state", List::of)) {
            if (!STATES.contains(word)) {
                throw Rejected.invalid("state", "state: must be running or ended");
            }
            states.add(word);
        }
        var labels = request.query().all("label", List::of).stream()
                .map(SandboxPage::label)
                .toList();
        var before = Jobs.query(request, "cursor").map(JobPage::cursor);
        var limit = Jobs.query(request, "limit").map(SandboxPage::limit).orElse(SandboxPage.MOST_ITEMS);
        return new JobPage(states, labels, before, limit);
    }

    private static JobId cursor(String text) {
        return JobId.parse(text)
                .orElseThrow(() -> Rejected.invalid("cursor", "cursor: must be the next_cursor of an earlier answer"));
    }

    /// `{items, next_cursor}` of `all`, the newest of which is the first.
    Json.Value of(List<Execution> all) {
        var wanted = all.stream().filter(this::isWanted).limit(limit + 1L).toList();
        return Page.of(wanted, limit, JobJson::state, Execution::id);
    }

    private boolean isWanted(Execution job) {
        return before.map(id -> job.id().value().compareTo(id.value()) < 0).orElse(true)
                && (states.isEmpty() || states.contains(JobJson.stateOf(job)))
                && labels.stream().allMatch(label -> label.isAmong(job.labels()));
    }
}
