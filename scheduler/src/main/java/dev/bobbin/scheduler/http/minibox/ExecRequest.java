package dev.bobbin.scheduler.http.minibox;

import dev.bobbin.runner.Command;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Stdin;
import dev.bobbin.runner.Terminal;
import dev.bobbin.runner.host.LastingSandbox;
import dev.bobbin.scheduler.http.exchange.JsonInput;
import dev.bobbin.scheduler.http.exchange.Rejected;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The body of `POST /containers/exec`.
final class ExecRequest {
    private static final Set<String> FIELDS = Set.of("id", "command", "interactive");
    private static final int MOST = 4096;
    private static final Terminal SIZE = new Terminal(24, 80);

    private String id = "";
    private List<String> command = List.of();
    private boolean interactive;

    private ExecRequest() {}

    static ExecRequest read(byte[] body) {
        var request = new ExecRequest();
        try {
            JsonInput.readFirstObject(body, FIELDS, request::field);
        } catch (Rejected _) {
            throw Plain.bad("Invalid request");
        }
        if (request.id.isEmpty()) {
            throw Plain.bad("Container ID is required");
        }
        if (request.command.isEmpty()) {
            throw Plain.bad("Command is required");
        }
        return request;
    }

    private void field(String field, JsonInput value) throws IOException {
        switch (field) {
            case "id" -> id = value.string();
            case "command" -> command = value.list(MOST);
            default -> interactive = value.bool();
        }
    }

    String id() {
        return id;
    }

    boolean isInteractive() {
        return interactive;
    }

    Job.Exec toJob(LastingSandbox container) {
        try {
            return new Job.Exec(
                    JobId.next(),
                    container.tenant(),
                    container.id(),
                    new Command(command, Map.of(), null, null, interactive ? SIZE : null),
                    interactive ? new Stdin.Open() : new Stdin.Empty(),
                    Limits.LONGEST_TIME,
                    Limits.DEFAULT.outputBytes(),
                    Job.OnDisconnect.KILL,
                    interactive ? Job.OutputPolicy.DROP : Job.OutputPolicy.BLOCK,
                    Map.of(),
                    null);
        } catch (IllegalArgumentException e) {
            throw Plain.bad(String.valueOf(e.getMessage()));
        }
    }
}
