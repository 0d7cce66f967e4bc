package dev.bobbin.scheduler.http.v1;

import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.SandboxState;
import dev.bobbin.runner.host.LastingSandbox;
import dev.bobbin.scheduler.http.exchange.Json;
import dev.bobbin.scheduler.http.exchange.Rejected;
import io.helidon.webserver.http.ServerRequest;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Which part of a list of sandboxes is wanted: those of some states, with some labels, from one on.
final class SandboxPage {
    static final int MOST_ITEMS = 1_000;

    private final Set<SandboxState> states;
    private final List<Label> labels;
    private final String after;
    private final int limit;

    /// @param value `null` for any
    record Label(String name, @Nullable String value) {
        boolean isAmong(Map<String, String> labels) {
            var found = labels.get(name);
            return found != null && (value == null || value.equals(found));
        }
    }

    private SandboxPage(Set<SandboxState> states, List<Label> labels, String after, int limit) {
        this.states = states;
        this.labels = labels;
        this.after = after;
        this.limit = limit;
    }

    /// What the request asks for: `state` and `label` may come several times; any of the states, all of the labels.
    static SandboxPage asked(ServerRequest request) {
        var states = new HashSet<SandboxState>();
        var labels = new ArrayList<Label>();
        for (var word : request.query().all("state", List::of)) {
            states.add(state(word));
        }
        for (var text : request.query().all("label", List::of)) {
            labels.add(label(text));
        }
        var after = Jobs.query(request, "cursor").map(SandboxPage::cursor).orElse("");
        var limit = Jobs.query(request, "limit").map(SandboxPage::limit).orElse(MOST_ITEMS);
        return new SandboxPage(states, labels, after, limit);
    }

    /// `{items, next_cursor}` of `all`, which is ordered by id.
    Json.Value of(List<LastingSandbox> all) {
        var wanted = all.stream().filter(this::isWanted).limit(limit + 1L).toList();
        return Page.of(wanted, limit, SandboxJson::write, LastingSandbox::id);
    }

    private boolean isWanted(LastingSandbox sandbox) {
        return sandbox.id().toString().compareTo(after) > 0
                && (states.isEmpty() || states.contains(sandbox.state()))
                && labels.stream().allMatch(label -> label.isAmong(sandbox.labels()));
    }

    private static SandboxState state(String word) {
        for (var state : SandboxState.values()) {
            if (state.word().equals(word)) {
                return state;
            }
        }
        throw Rejected.invalid("state", "state: must be creating, running, stopping, stopped or failed");
    }

    static Label label(String text) {
        var equals = text.indexOf('=');
        if (text.isEmpty() || equals == 0) {
            throw Rejected.invalid("label", "label: must be a name, or name=value");
        }
        return equals < 0 ? new Label(text, null) : new Label(text.substring(0, equals), text.substring(equals + 1));
    }

    static String cursor(String text) {
        return SandboxId.parse(text)
                .orElseThrow(() -> Rejected.invalid("cursor", "cursor: must be the next_cursor of an earlier answer"))
                .toString();
    }

    static int limit(String text) {
        if (!text.matches("[1-9][0-9]{0,3}")) {
            throw Rejected.invalid("limit", "limit: must be a whole number from 1 to 1000");
        }
        return Math.min(MOST_ITEMS, Integer.parseInt(text));
    }
}
