package dev.bobbin.scheduler.http.minibox;

import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.store.PullPolicy;
import dev.bobbin.runner.Attempt;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.build.BuildContext;
import dev.bobbin.runner.build.BuildException;
import dev.bobbin.runner.build.BuildOrder;
import dev.bobbin.runner.build.BuildPlan;
import dev.bobbin.runner.build.BuildRequest;
import dev.bobbin.runner.build.PlannedBuild;
import dev.bobbin.runner.host.BuildUpload;
import dev.bobbin.runner.host.MiniBoxLines;
import dev.bobbin.runner.host.SharedDirectory;
import dev.bobbin.runner.host.SharedPaths;
import dev.bobbin.scheduler.dispatch.Dispatcher;
import dev.bobbin.scheduler.dispatch.ImageDirectory;
import dev.bobbin.scheduler.dispatch.ImageDirectory.Whose;
import dev.bobbin.scheduler.http.exchange.Body;
import dev.bobbin.scheduler.http.exchange.Disconnects;
import dev.bobbin.scheduler.http.exchange.Exchange;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.http.exchange.Rejected;
import dev.bobbin.scheduler.http.exchange.Streamed;
import dev.bobbin.scheduler.tenant.Caller;
import dev.bobbin.scheduler.tenant.Scope;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NotDirectoryException;
import java.util.Map;
import java.util.concurrent.CancellationException;

/// Images made from MiniBox files: `POST /containers/build`. The context is a directory of this machine, beneath those
/// that are shared with callers.
final class Builds {
    private static final int LARGEST_REQUEST = 64 * 1024 * 1024;

    private final Dispatcher dispatcher;
    private final ImageDirectory images;
    private final SharedPaths shared;
    private final Disconnects disconnects;

    Builds(Dispatcher dispatcher, ImageDirectory images, SharedPaths shared, Disconnects disconnects) {
        this.dispatcher = dispatcher;
        this.images = images;
        this.shared = shared;
        this.disconnects = disconnects;
    }

    /// Answers at once, and with each line as it is said; what goes wrong from then on is the last of them. A client
    /// that leaves ends the build.
    void build(ServerRequest request, ServerResponse response) throws InterruptedException {
        var caller = Exchange.caller(request);
        var asked = BuildBody.read(Body.read(request, LARGEST_REQUEST));
        var body = new Streamed(response);
        var lines = lines(asked, body);
        var name = name(asked.image());
        var builder = Thread.currentThread();
        try (var upload = upload(caller);
                var context = context(asked.context());
                var watch = disconnects.watch(response, builder::interrupt)) {
            body.open();
            lines.start();
            new Work(asked, name, caller, upload, context, lines).run(watch);
            body.finish();
        } catch (CancellationException | IOException | UncheckedIOException e) {
            throw new CloseConnectionException("nobody waits for the answer, or the server is stopping", e);
        }
    }

    /// A place for the files of one build; it is asked for before any of them is read.
    private BuildUpload.Open upload(Caller caller) {
        return switch (dispatcher.builds().upload(caller.tenant().name(), 0)) {
            case BuildUpload.Refused(var refusal) -> throw new Rejected(Problem.of(refusal));
            case BuildUpload.Open open -> open;
        };
    }

    private static MiniBoxLines lines(BuildBody asked, Streamed body) {
        try {
            return new MiniBoxLines(asked.recipe(), asked.image(), text -> {
                var bytes = text.getBytes(StandardCharsets.UTF_8);
                body.write(bytes, 0, bytes.length);
                body.flush();
            });
        } catch (BuildException e) {
            var place = MiniBoxLines.place(asked.recipe(), e).map(line -> "\n" + line);
            throw Plain.bad(e.getMessage() + place.orElse(""));
        }
    }

    private static ImageReference name(String text) {
        var name = RunRequest.reference(text);
        if (name.isReserved()) {
            throw Plain.bad("invalid image name");
        }
        return name;
    }

    private SharedDirectory context(String path) {
        if (path.isEmpty()) {
            throw refused("empty path");
        }
        try {
            return shared.directory(path);
        } catch (SharedPaths.NotSharedException e) {
            throw refused("build context " + e.getMessage());
        } catch (NotDirectoryException _) {
            throw refused("build context must be a directory");
        } catch (IOException e) {
            throw refused(String.valueOf(e.getMessage()));
        }
    }

    private static Rejected refused(String why) {
        return Plain.bad("invalid build context: " + why);
    }

    /// One build whose answer has begun.
    private final class Work {
        private final BuildBody asked;
        private final ImageReference name;
        private final Caller caller;
        private final BuildUpload.Open upload;
        private final SharedDirectory context;
        private final MiniBoxLines lines;

        Work(
                BuildBody asked,
                ImageReference name,
                Caller caller,
                BuildUpload.Open upload,
                SharedDirectory context,
                MiniBoxLines lines) {
            this.asked = asked;
            this.name = name;
            this.caller = caller;
            this.upload = upload;
            this.context = context;
            this.lines = lines;
        }

        void run(Disconnects.Watch watch) throws IOException, InterruptedException {
            PlannedBuild build;
            try {
                build = plan();
            } catch (BuildException e) {
                lines.failed(e);
                return;
            } catch (ImageException e) {
                lines.failed(String.valueOf(e.getMessage()));
                return;
            }
            switch (dispatcher.build(build, Job.OnDisconnect.KILL, null, caller)) {
                case Attempt.Refused(var refusal) -> lines.failed(refusal.detail());
                case Attempt.Accepted(var job) -> follow(job, build.plan(), watch);
            }
        }

        private PlannedBuild plan() throws IOException, InterruptedException {
            var order = new BuildOrder(
                    JobId.next(),
                    caller.tenant().name(),
                    name,
                    true,
                    dispatcher.builds().usualLimits(),
                    Network.Bridge.PLAIN,
                    caller.may(Scope.ADMIN),
                    Map.of(),
                    BuildOrder.USUAL_TIME);
            var request = new BuildRequest(order, asked.recipe(), "MiniBox", null, Map.of());
            return dispatcher.builds().plan(request, received(), this::bring);
        }

        private BuildContext received() {
            try {
                return upload.receive(context);
            } catch (ClosedByInterruptException e) {
                throw new UncheckedIOException(e);
            } catch (IOException e) {
                throw new BuildException(
                        BuildException.Problem.CONTEXT, 0, "read the build context: " + e.getMessage(), e);
            }
        }

        private void bring(ImageReference base) {
            try {
                if (!base.isReserved() && images.find(base, caller).isEmpty()) {
                    lines.fetching();
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            images.pull(base, PullPolicy.MISSING, null, null, caller, Whose.CALLERS, _ -> {});
        }

        private void follow(Execution accepted, BuildPlan plan, Disconnects.Watch watch)
                throws IOException, InterruptedException {
            try (var job = accepted) {
                watch.instead(() -> job.cancel("client"));
                try {
                    lines.planned(plan);
                    job.streamTo(lines);
                } catch (Streamed.ClientGone e) {
                    job.cancel("client");
                    throw e;
                }
            }
        }
    }
}
