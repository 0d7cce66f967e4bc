package dev.bobbin.scheduler.http.minibox;

import dev.bobbin.image.ArchiveFormat;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageProblem;
import dev.bobbin.runner.host.SharedPaths;
import dev.bobbin.scheduler.dispatch.ImageDirectory;
import dev.bobbin.scheduler.dispatch.ImageDirectory.Whose;
import dev.bobbin.scheduler.http.exchange.Exchange;
import dev.bobbin.scheduler.http.exchange.Rejected;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/// Images in files of this machine, beneath the directories that are shared with callers.
final class Archives {
    /// With which every archive begins: the name of its first entry.
    private static final byte[] BEGINNING = "meta.json\0".getBytes(StandardCharsets.US_ASCII);

    private final ImageDirectory images;
    private final SharedPaths shared;

    Archives(ImageDirectory images, SharedPaths shared) {
        this.images = images;
        this.shared = shared;
    }

    /// Writes a new file, or in place of one that was written so before.
    void save(ServerRequest request, ServerResponse response) {
        var name = Plain.query(request, "image");
        var path = Plain.query(request, "path");
        if (name.isEmpty() || path.isEmpty()) {
            throw Plain.bad("missing image or path");
        }
        var reference = RunRequest.reference(name);
        var caller = Exchange.caller(request);
        if (!reference.isHost() && images.find(reference, caller).isEmpty()) {
            throw Plain.absent("image not found: " + name);
        }
        try {
            shared.write(
                    path,
                    Archives::isArchive,
                    out -> images.save(List.of(reference), ArchiveFormat.MINIBOX, caller, out));
        } catch (IOException e) {
            throw refused(e);
        }
        Plain.text(request, response, "Saved image " + name + " to " + path + "\n");
    }

    private static boolean isArchive(InputStream content) throws IOException {
        return Arrays.equals(content.readNBytes(BEGINNING.length), BEGINNING);
    }

    void load(ServerRequest request, ServerResponse response) {
        var path = Plain.query(request, "path");
        if (path.isEmpty()) {
            throw Plain.bad("missing path");
        }
        try (var archive = shared.read(path)) {
            var loaded = images.load(archive, Exchange.caller(request), Whose.CALLERS);
            var name = loaded.getFirst().reference().text();
            Plain.text(request, response, "Loaded image " + name + " from " + path + "\n");
        } catch (ImageException e) {
            throw e.problem() == ImageProblem.INVALID ? Plain.failed("invalid archive: " + e.getMessage()) : e;
        } catch (IOException e) {
            throw refused(e);
        }
    }

    private static Rejected refused(IOException e) {
        var message = String.valueOf(e.getMessage());
        return e instanceof SharedPaths.NotSharedException ? Plain.bad(message) : Plain.failed(message);
    }
}
