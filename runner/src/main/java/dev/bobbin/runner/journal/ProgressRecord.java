package dev.bobbin.runner.journal;

import dev.bobbin.runner.BuildEvent;
import dev.bobbin.runner.BuildEvent.Kind;
import dev.bobbin.runner.wire.Fields;
import dev.bobbin.runner.wire.FieldsWriter;
import dev.bobbin.runner.wire.Wire;
import dev.bobbin.runner.wire.WireException;
import java.util.List;

/// A PROGRESS record: what became of a build.
final class ProgressRecord {
    /// Their places are their numbers on disk, so new ones come last.
    private static final List<Kind> KINDS = List.of(
            Kind.STARTED,
            Kind.CACHED,
            Kind.DONE,
            Kind.FAILED,
            Kind.CANCELLED,
            Kind.NOTE,
            Kind.EXPORTING,
            Kind.FINISHED);

    private ProgressRecord() {}

    static byte[] write(BuildEvent event) {
        return new FieldsWriter()
                .u32(Wire.FIELD_PROGRESS_KIND, KINDS.indexOf(event.kind()))
                .text(Wire.FIELD_PROGRESS_STEP, event.step())
                .text(Wire.FIELD_PROGRESS_TEXT, event.text())
                .u64(Wire.FIELD_PROGRESS_MILLIS, event.millis())
                .payload();
    }

    static BuildEvent read(Fields fields) throws WireException {
        var kind = fields.requireU32(Wire.FIELD_PROGRESS_KIND);
        if (kind < 0 || kind >= KINDS.size()) {
            throw new WireException("a PROGRESS record of kind " + kind);
        }
        return new BuildEvent(
                KINDS.get(kind),
                fields.requireText(Wire.FIELD_PROGRESS_STEP),
                fields.requireText(Wire.FIELD_PROGRESS_TEXT),
                fields.requireU64(Wire.FIELD_PROGRESS_MILLIS));
    }
}
