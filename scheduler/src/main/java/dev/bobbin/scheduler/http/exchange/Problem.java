package dev.bobbin.scheduler.http.exchange;

import dev.bobbin.image.ImageException;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.build.BuildException;
import org.jspecify.annotations.Nullable;

/// Why a request gets no answer of its own: the content of a problem document (RFC 9457), which each API may say in its
/// own words.
///
/// @param code stable word for programs
/// @param detail sentence for a person: what is wrong and what to do
/// @param field what in the request is wrong, if it is one thing
/// @param retryAfterSeconds when asking again makes sense; 0 if it does not
public record Problem(
        int status, String code, String detail, @Nullable String field, int retryAfterSeconds) {

    public Problem(int status, String code, String detail) {
        this(status, code, detail, null, 0);
    }

    /// A request that is wrong in `field`.
    public static Problem invalid(@Nullable String field, String detail) {
        return new Problem(400, "invalid", detail, field, 0);
    }

    public static Problem notFound(String detail) {
        return new Problem(404, "not_found", detail);
    }

    /// Why a build cannot be.
    public static Problem of(BuildException e) {
        var detail = e.located();
        return switch (e.problem()) {
            case RECIPE, STEP -> invalid("recipe", detail);
            case CONTEXT -> invalid("context", detail);
            case TOO_LARGE -> new Problem(413, "too_large", detail, "context", 0);
            case BUSY -> new Problem(429, "busy", detail, null, 1);
            case NO_SUCH_IMAGE -> new Problem(404, "image_not_found", detail, "recipe", 0);
            case IMAGE_UNAVAILABLE -> new Problem(424, "image_unavailable", detail, "recipe", 0);
            case DISK_FULL -> new Problem(507, "disk_full", detail, null, 0);
            case HOST -> new Problem(503, "degraded", detail, null, 5);
        };
    }

    public static Problem of(Refusal refusal) {
        var detail = refusal.detail();
        return switch (refusal.reason()) {
            case BUSY, HOST_FULL -> new Problem(429, "busy", detail, null, 1);
            case DEGRADED -> new Problem(503, "degraded", detail, null, 5);
            case DRAINING -> new Problem(503, "draining", detail, null, 5);
            case NO_HOST_FITS -> new Problem(422, "never_fits", detail, refusal.field(), 0);
            case NO_SUCH_IMAGE -> new Problem(404, "image_not_found", detail, "image", 0);
            case NO_SUCH_USER -> invalid("user", detail);
            case NO_COMMAND -> invalid("command", detail);
            case NO_SUCH_SANDBOX -> new Problem(404, "sandbox_not_found", detail, "sandbox", 0);
            case SANDBOX_NOT_RUNNING -> new Problem(409, "sandbox_not_running", detail, "sandbox", 0);
            case NO_SUCH_VOLUME ->
                new Problem(404, "volume_not_found", detail, refusal.field() == null ? "volume" : refusal.field(), 0);
            case VOLUME_IN_USE -> new Problem(409, "volume_in_use", detail, "volume", 0);
            case PORT_TAKEN -> new Problem(409, "port_in_use", detail, refusal.field(), 0);
            case BAD_MOUNT, NO_SUCH_PROFILE -> invalid(refusal.field(), detail);
            case FORBIDDEN -> new Problem(403, "forbidden", detail, refusal.field(), 0);
            case KEY_REUSED -> new Problem(422, "idempotency_key_reused", detail, refusal.field(), 0);
            case KEY_SPENT -> new Problem(410, "gone", detail, refusal.field(), 0);
            case NAME_TAKEN -> new Problem(409, "name_taken", detail, "name", 0);
        };
    }

    /// What could not be done with an image.
    public static Problem of(ImageException failure) {
        var detail = "image: " + failure.getMessage();
        return switch (failure.problem()) {
            case NOT_FOUND -> new Problem(404, "image_not_found", detail, "image", 0);
            case UNAVAILABLE -> new Problem(424, "image_unavailable", detail, "image", 30);
            case UNAUTHORIZED -> new Problem(424, "image_unauthorized", detail, "image", 0);
            case INVALID -> new Problem(422, "image_invalid", detail, "image", 0);
            case UNSUPPORTED -> new Problem(422, "unsupported", detail, "image", 0);
            case IN_USE -> new Problem(409, "image_in_use", detail, "image", 0);
            case BUSY -> new Problem(429, "busy", detail, null, 2);
            case DISK_FULL -> new Problem(507, "disk_full", detail, null, 0);
            case HOST_FAILED -> new Problem(500, "host_failed", detail, null, 0);
        };
    }

    /// What only administrators may do.
    public static Problem forbidden(String detail) {
        return new Problem(403, "forbidden", detail);
    }

    /// This problem as `application/problem+json`.
    public byte[] document() {
        return Json.write(json -> {
            json.writeStartObject();
            json.writeStringField("type", "about:blank");
            json.writeNumberField("status", status);
            json.writeStringField("code", code);
            json.writeStringField("detail", detail);
            if (field != null) {
                json.writeStringField("field", field);
            }
            json.writeEndObject();
        });
    }
}
