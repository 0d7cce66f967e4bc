package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.TestImages;
import dev.bobbin.runner.Attempt;
import dev.bobbin.runner.BuildEvent;
import dev.bobbin.runner.BuildEvent.Kind;
import dev.bobbin.runner.Ending;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.OutputSink;
import dev.bobbin.runner.StartTimeline;
import dev.bobbin.runner.build.BuildOrder;
import dev.bobbin.runner.build.BuildRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Builds on the host of a test, which gets the image `bb` to build on.
final class TestBuilds {
    static final String TENANT = "default";

    private final TestHost host;

    TestBuilds(TestHost host) throws Exception {
        this.host = host;
        var config = new ImageConfig(Map.of("BASE", "yes"), List.of(), List.of("sh"), "root", "/");
        host.images()
                .commit(
                        TENANT,
                        new ImageReference("bb"),
                        null,
                        config,
                        List.of(TestImages.stream(TestImages.busybox())));
    }

    /// How a build ended, and all that was told of it.
    record Told(Ending ending, List<BuildEvent> events, String output) {
        List<String> steps(Kind kind) {
            return events.stream()
                    .filter(event -> event.kind() == kind && !event.step().isEmpty())
                    .map(BuildEvent::text)
                    .toList();
        }

        String digest() {
            return events.stream()
                    .filter(event -> event.kind() == Kind.FINISHED)
                    .map(BuildEvent::text)
                    .findFirst()
                    .orElseThrow(() -> new AssertionError(this));
        }

        Told succeeded() {
            assertThat(ending.outcome()).as("%s", this).isEqualTo(new Outcome.Exited(0));
            return this;
        }

        Told failedSaying(String words) {
            assertThat(ending.outcome()).as("%s", this).isNotEqualTo(new Outcome.Exited(0));
            assertThat(events)
                    .as("%s", this)
                    .anyMatch(
                            event -> event.kind() == Kind.FAILED && event.text().contains(words));
            return this;
        }

        /// Hears what is told of a build until its end, or until nobody can any more.
        static void watch(Execution execution, OutputSink sink) {
            try {
                execution.streamTo(sink);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }

        static Told of(Execution execution) throws Exception {
            try (execution) {
                var events = new ArrayList<BuildEvent>();
                var output = new ByteArrayOutputStream();
                var ending = execution.streamTo(each -> {
                    if (each instanceof Output.Progress progress) {
                        events.add(progress.event());
                    } else if (each instanceof Output.Bytes bytes) {
                        output.writeBytes(bytes.copy());
                    }
                });
                return new Told(ending, events, output.toString(StandardCharsets.UTF_8));
            }
        }
    }

    /// A build of `files`, one of which is the recipe, to an image of this name.
    Request of(String name, Map<String, String> files) {
        return new Request(name, files);
    }

    /// A Dockerfile that needs no other file.
    Request of(String name, String recipe) {
        return of(name, Map.of("Dockerfile", recipe));
    }

    /// The digests of two images whose recipes say much, of which an order could be anybody's.
    static String digestOfMuch(TestHost host) throws Exception {
        var builds = new TestBuilds(host);
        var archive = TestImages.tar().file("in/b", "b").file("in/a", "a").hardLink("in/c", "in/a");
        var docker = builds.of("much", Map.of("Dockerfile", """
                        FROM bb AS made
                        ARG ONE=1 TWO=2
                        RUN busybox mkdir -p /d/z /d/y; for i in 5 3 1 4 2; do echo $i >/d/$i; busybox ln /d/$i /d/z/$i; done
                        FROM bb
                        ENV Z=1 A=2 M=3 B=4
                        LABEL z=1 a=2 m=3 b=4 "c d"="e f"
                        EXPOSE 80 443/tcp 53/udp 8080
                        VOLUME /v3 /v1 /v2
                        HEALTHCHECK --interval=5s --timeout=3s --start-period=1s --retries=2 CMD true
                        COPY --from=made /d /d
                        COPY . /context
                        ADD archive.tar /archive
                        RUN --mount=type=secret,id=s,env=SECRET --mount=type=cache,target=/c --mount=type=tmpfs,target=/t \
                         test -n "$SECRET" && busybox rm /d/3 && echo $A >/d/a && busybox env | busybox sort >/d/env
                        ONBUILD RUN true
                        STOPSIGNAL SIGINT
                        ENTRYPOINT ["sh"]
                        """, "z", "1", "y/x", "2", "y/w", "3", "a", "4"))
                .file("archive.tar", archive.bytes())
                .secrets(Map.of("s", new byte[] {'x'}, "t", new byte[] {'y'}))
                .build()
                .succeeded();
        var mini = builds.of("more", Map.of("MiniBox", """
                        BASE bb
                        ENV Z=1
                        ENV A=2
                        PORT 80
                        PORT 443
                        BLOCK one
                            RUN echo 1 >/one
                        BLOCK two
                            RUN echo 2 >/two
                        BLOCK three
                            NEED two
                            NEED one
                            COPY . /context
                            RUN busybox rm /one
                        START sh
                        """, "z", "1", "y/x", "2"))
                .build()
                .succeeded();
        return docker.digest() + " " + mini.digest();
    }

    /// What is to be built.
    final class Request {
        private final String name;
        private final Map<String, byte[]> files = new LinkedHashMap<>();
        private boolean useCache = true;
        private Limits limits = Limits.DEFAULT;
        private Network network = Network.NONE;
        private Map<String, byte[]> secrets = Map.of();

        private Request(String name, Map<String, String> texts) {
            this.name = name;
            texts.forEach((path, text) -> files.put(path, text.getBytes(StandardCharsets.UTF_8)));
        }

        Request file(String path, byte[] content) {
            files.put(path, content);
            return this;
        }

        Request withoutCache() {
            useCache = false;
            return this;
        }

        Request limits(Limits all) {
            limits = all;
            return this;
        }

        Request network(Network reached) {
            network = reached;
            return this;
        }

        Request secrets(Map<String, byte[]> values) {
            secrets = values;
            return this;
        }

        Told build() throws Exception {
            return Told.of(start());
        }

        Execution start() throws Exception {
            var order = new BuildOrder(
                    JobId.next(),
                    TENANT,
                    new ImageReference(name),
                    useCache,
                    limits,
                    network,
                    false,
                    secrets,
                    BuildOrder.USUAL_TIME);
            var builds = host.runtime().builds();
            var planned =
                    builds.plan(new BuildRequest(order, null, null, null, Map.of()), builds.receive(files), _ -> {});
            return switch (builds.start(planned, Job.OnDisconnect.KILL, StartTimeline.begin())) {
                case Attempt.Accepted accepted -> accepted.execution();
                case Attempt.Refused refused -> throw new AssertionError(refused.refusal());
            };
        }
    }
}
