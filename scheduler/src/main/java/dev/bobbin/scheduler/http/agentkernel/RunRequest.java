package dev.bobbin.scheduler.http.agentkernel;

import dev.bobbin.image.ImageReference;
import dev.bobbin.runner.Command;
import dev.bobbin.runner.Isolation;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Stdin;
import dev.bobbin.scheduler.http.exchange.JsonInput;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.tenant.Tenant;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The body of `POST /run`. Fields that nobody knows are passed over, as its clients expect.
final class RunRequest {
    private static final Set<String> FIELDS = Set.of("command", "image", "profile", "fast");
    private static final int MOST_ARGUMENTS = 4096;
    private static final int LONGEST_IMAGE = 256;
    private static final Pattern FOREIGN = Pattern.compile("[^A-Za-z0-9./:@_-]");

    private List<String> command = List.of();
    private @Nullable ImageReference image;
    private String profile = "moderate";

    private RunRequest() {}

    static RunRequest read(byte[] body) {
        var request = new RunRequest();
        try {
            JsonInput.readLenientObject(body, FIELDS, request::field);
        } catch (Rejected e) {
            throw e.problem().code().equals("invalid_image")
                    ? Rejected.invalid("image", e.problem().detail())
                    : Rejected.invalid(
                            e.problem().field(), "Invalid JSON: " + e.problem().detail());
        }
        if (request.command.isEmpty()) {
            throw Rejected.invalid("command", "command is required");
        }
        return request;
    }

    Job.Run toJob(Tenant tenant) {
        try {
            return new Job.Run(
                    JobId.next(),
                    tenant.name(),
                    image == null ? ImageReference.HOST : image,
                    Command.of(command),
                    new Stdin.Empty(),
                    List.of(),
                    limits(),
                    Job.OnDisconnect.KILL,
                    Job.OutputPolicy.KILL,
                    Map.of(),
                    List.of(),
                    Isolation.USUAL,
                    null);
        } catch (IllegalArgumentException e) {
            throw Rejected.invalid("command", String.valueOf(e.getMessage()));
        }
    }

    private void field(String name, JsonInput value) throws IOException {
        switch (name) {
            case "command" -> command = value.list(MOST_ARGUMENTS);
            case "image" -> image = image(value.string());
            case "profile" -> profile = value.string();
            // Every run here is fast: a sandbox waits for any image.
            default -> value.bool();
        }
    }

    /// The caps of the profile; the isolation is the same for all of them.
    private Limits limits() {
        var usual = Limits.DEFAULT;
        return profile.equals("restrictive")
                ? new Limits(
                        usual.memoryBytes() / 2,
                        0.5,
                        usual.pids(),
                        usual.time(),
                        usual.outputBytes(),
                        usual.diskBytes())
                : usual;
    }

    private static ImageReference image(String name) {
        if (name.isEmpty()) {
            throw badImage("Docker image name cannot be empty");
        }
        if (name.length() > LONGEST_IMAGE) {
            throw badImage("Docker image name too long (max 256 characters)");
        }
        var foreign = FOREIGN.matcher(name);
        if (foreign.find()) {
            throw badImage("Docker image name contains invalid character '" + foreign.group()
                    + "'. Use only alphanumeric characters, periods, hyphens, underscores, slashes, colons, and @");
        }
        try {
            return new ImageReference(name);
        } catch (IllegalArgumentException e) {
            throw badImage(String.valueOf(e.getMessage()));
        }
    }

    private static Rejected badImage(String detail) {
        return new Rejected(new Problem(400, "invalid_image", detail));
    }
}
