package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.image.ImageReference;
import dev.bobbin.image.store.ImageStore;
import dev.bobbin.image.store.StoreConfig;
import dev.bobbin.runner.Attempt;
import dev.bobbin.runner.Ending;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.InputFile;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.Rights;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.SandboxSpec;
import dev.bobbin.runner.StartTimeline;
import dev.bobbin.runner.Stdin;
import dev.bobbin.runner.build.BuildConfig;
import dev.bobbin.runner.net.NetworkConfig;
import dev.bobbin.runner.seccomp.FilterSource;
import dev.bobbin.runner.volume.BindConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A real host in directories of its own, for tests of every module that runs jobs. [#close] ends it and fails the test
/// if anything is left: a process, a cgroup, a mount, a socket.
public final class TestHost implements AutoCloseable {
    /// Set by the build to run the same tests on an init built with sanitizers.
    private static final @Nullable Path INIT = Optional.ofNullable(System.getProperty("bobbin.test.init"))
            .map(path -> Path.of(path).toAbsolutePath())
            .orElse(null);

    public final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final Path root;
    private final int pool;
    private final Leftovers before;
    private final boolean last;
    private final @Nullable Path init;
    private ImageStore images;
    private HostRuntime runtime;
    private Allowed allowed;

    private TestHost(Path root, int pool, boolean last, @Nullable Path init, Allowed allowed) throws IOException {
        this.allowed = allowed;
        this.init = init;
        this.root = root;
        this.pool = pool;
        this.last = last;
        this.before = Leftovers.of(runDir());
        this.images = ImageStore.open(dataDir().resolve("images"), StoreConfig.DEFAULT, meters);
        this.runtime = HostRuntime.open(config(), images, meters, init);
    }

    /// A host that keeps `pool` sandboxes parked, in the directory `root`, which is removed with it.
    public static TestHost open(int pool, Path root) throws IOException {
        return open(pool, root, true);
    }

    /// As [#open(int, Path)]; unless it is the `last` on its directory, sandboxes that last stay and so does the
    /// directory.
    public static TestHost open(int pool, Path root, boolean last) throws IOException {
        return new TestHost(Files.createDirectories(root), pool, last, INIT, Allowed.USUAL);
    }

    /// A host with the init of an earlier build; what it made stays when it is closed.
    static TestHost openBefore(Path root) throws IOException {
        var init = Path.of("target/native/bobbin-init-before").toAbsolutePath();
        return new TestHost(Files.createDirectories(root), 1, false, init, Allowed.USUAL);
    }

    /// A host with an init that hides of each processor what every machine has.
    public static TestHost openHidingTopology() throws IOException {
        var init = Path.of("target/native/bobbin-init-processors").toAbsolutePath();
        return new TestHost(Files.createTempDirectory("bobbin-test"), 1, true, init, Allowed.USUAL);
    }

    /// A host whose jobs may make every system call, to see that a filter is what forbids one.
    public static TestHost openUnfiltered() throws IOException {
        return new TestHost(
                Files.createTempDirectory("bobbin-test"), 1, true, INIT, Allowed.USUAL.filtering(FilterSource.NONE));
    }

    /// A host whose jobs may make the system calls of a profile.
    public static TestHost openWithProfile(Path root, Path profile) throws IOException {
        var filter = FilterSource.parse(profile.toString());
        return new TestHost(Files.createDirectories(root), 1, true, INIT, Allowed.USUAL.filtering(filter));
    }

    /// As [#open(int, Path, boolean)], whose jobs may ask for profiles of system calls by these names.
    public static TestHost openNaming(Path root, boolean last, Map<String, Path> profiles) throws IOException {
        return openAllowing(root, last, NetworkConfig.STANDARD, Rights.NONE, profiles);
    }

    /// As [#open(int, Path, boolean)], whose jobs may have networks.
    public static TestHost open(int pool, Path root, boolean last, NetworkConfig network) throws IOException {
        var allowed = new Allowed(BindConfig.NONE, FilterSource.STANDARD, network, Rights.NONE);
        return new TestHost(Files.createDirectories(root), pool, last, INIT, allowed);
    }

    /// As [#open(int, Path, boolean, NetworkConfig)], whose jobs may ask for `rights` and for profiles by these names.
    public static TestHost openAllowing(
            Path root, boolean last, NetworkConfig network, Rights rights, Map<String, Path> profiles)
            throws IOException {
        var allowed = new Allowed(BindConfig.NONE, FilterSource.STANDARD.naming(profiles), network, rights);
        return new TestHost(Files.createDirectories(root), 2, last, INIT, allowed);
    }

    /// A host that keeps `pool` sandboxes parked.
    public static TestHost open(int pool) throws IOException {
        return open(pool, BindConfig.NONE);
    }

    /// As [#open(int)], on which such directories of this machine may be mounted.
    public static TestHost open(int pool, BindConfig binds) throws IOException {
        return new TestHost(Files.createTempDirectory("bobbin-test"), pool, true, INIT, Allowed.USUAL.binding(binds));
    }

    public HostRuntime runtime() {
        return runtime;
    }

    /// The images of this host.
    public ImageStore images() {
        return images;
    }

    public Path dataDir() {
        return root.resolve("data");
    }

    public Path runDir() {
        return root.resolve("run");
    }

    private HostConfig config() {
        return new HostConfig(
                dataDir(),
                runDir(),
                pool,
                null,
                HostConfig.DEFAULT_KEEP_ENDED,
                HostConfig.DEFAULT_KEEP_ENDED_BYTES,
                false,
                allowed.binds(),
                allowed.seccomp(),
                allowed.network(),
                allowed.rights(),
                BuildConfig.DEFAULT);
    }

    /// What jobs may ask for from the next [#restart()] on.
    void allow(Rights most) {
        allowed = new Allowed(allowed.binds(), allowed.seccomp(), allowed.network(), most);
    }

    /// Ends the server and starts another on the same directories; jobs that may go on do.
    public void restart() {
        runtime.close();
        images.close();
        images = ImageStore.open(dataDir().resolve("images"), StoreConfig.DEFAULT, new SimpleMeterRegistry());
        runtime = HostRuntime.open(config(), images, new SimpleMeterRegistry(), init);
    }

    /// What exists of this host's sandboxes now, to be compared with later.
    public Leftovers.Live live() throws IOException {
        return before.live();
    }

    /// The process that is PID 1 of the sandbox in which this job runs, as this machine numbers it.
    long pidOne(Execution execution) throws IOException {
        var local = (LocalExecution) execution;
        var job = before.processesOf(local.sandboxId().toString()).getFirst();
        while (true) {
            var status = Files.readAllLines(Path.of("/proc/" + job + "/status"));
            var inner = field(status, "NSpid:").split("\\s+", -1);
            if (inner[inner.length - 1].equals("1")) {
                return job;
            }
            job = Long.parseLong(field(status, "PPid:"));
        }
    }

    private static String field(List<String> status, String name) {
        return status.stream()
                .filter(line -> line.startsWith(name))
                .findFirst()
                .orElseThrow()
                .substring(name.length())
                .strip();
    }

    /// A sandbox that lasts, in the making; [Place#create] makes it.
    public Place place(String... command) {
        return new Place(List.of(command));
    }

    /// A job in the sandbox `sandbox`, about to be described.
    public Request exec(LastingSandbox sandbox, String... command) {
        var request = new Request(List.of(command));
        request.sandbox = sandbox;
        return request;
    }

    /// A shell script run to its end in the sandbox `sandbox`.
    public Result sh(LastingSandbox sandbox, String script) throws Exception {
        return exec(sandbox, "sh", "-c", script).run();
    }

    /// A job that is about to be described; [Request#start] starts it.
    public Request request(String... command) {
        return new Request(List.of(command));
    }

    /// A shell script run to its end.
    public Result sh(String script) throws Exception {
        return request("sh", "-c", script).run();
    }

    /// Waits until no exec runs in `sandbox`: the end of one can be read a moment before it is off the list.
    static void awaitNoExecs(LastingSandbox sandbox) {
        while (!sandbox.execs().isEmpty()) {
            Thread.onSpinWait();
        }
    }

    @Override
    public void close() throws IOException {
        try {
            for (var sandbox : last ? runtime.sandboxes().list() : List.<LastingSandbox>of()) {
                sandbox.remove();
            }
            runtime.drain(Duration.ZERO);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        var running = runtime.capacity().running();
        runtime.close();
        images.close();
        assertThat(runDir().resolve("nursery.log")).content().isEmpty();
        if (last || running == 0) {
            before.assertNothingMore();
        }
        if (!last) {
            return;
        }
        try (var files = Files.walk(root)) {
            for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    /// What jobs may ask for.
    private record Allowed(BindConfig binds, FilterSource seccomp, NetworkConfig network, Rights rights) {
        static final Allowed USUAL =
                new Allowed(BindConfig.NONE, FilterSource.STANDARD, NetworkConfig.STANDARD, Rights.NONE);

        Allowed binding(BindConfig other) {
            return new Allowed(other, seccomp, network, rights);
        }

        Allowed filtering(FilterSource other) {
            return new Allowed(binds, other, network, rights);
        }
    }

    /// What a job printed and how it ended.
    public record Result(String stdout, String stderr, Ending ending) {
        public String cause() {
            return ending.outcome().cause();
        }

        public int exitCode() {
            return ending.outcome().exitCode();
        }

        /// Reads a job to its end, and lets go of it.
        public static Result of(Execution execution) throws Exception {
            try (execution) {
                return read(execution);
            }
        }

        private static Result read(Execution execution) throws Exception {
            var stdout = new ByteArrayOutputStream();
            var stderr = new ByteArrayOutputStream();
            var ending = execution.streamTo(output -> {
                if (output instanceof Output.Bytes bytes) {
                    (bytes.stream() == Output.Stream.STDOUT ? stdout : stderr).writeBytes(bytes.copy());
                }
            });
            return new Result(stdout.toString(StandardCharsets.UTF_8), stderr.toString(StandardCharsets.UTF_8), ending);
        }
    }

    /// A job in the making.
    public final class Request extends Wish<Request> {
        private ImageReference image = ImageReference.HOST;
        private Stdin stdin = new Stdin.Empty();
        private Job.OnDisconnect onDisconnect = Job.OnDisconnect.KILL;
        private Job.OutputPolicy policy = Job.OutputPolicy.KILL;
        private @Nullable LastingSandbox sandbox;

        private Request(List<String> argv) {
            super(argv);
        }

        @Override
        Request self() {
            return this;
        }

        public Request file(String path, String text, int mode) {
            files.add(new InputFile(path, text.getBytes(StandardCharsets.UTF_8), mode));
            return this;
        }

        public Request image(String name) {
            image = new ImageReference(name);
            return this;
        }

        public Request stdin(Stdin input) {
            stdin = input;
            return this;
        }

        public Request time(Duration most) {
            limits = limits.within(most, limits.outputBytes());
            return this;
        }

        public Request output(long bytes, Job.OutputPolicy then) {
            limits = limits.within(limits.time(), bytes);
            policy = then;
            return this;
        }

        @Override
        public Request terminal(int rows, int columns) {
            stdin = new Stdin.Open();
            return super.terminal(rows, columns);
        }

        public Request onDisconnect(Job.OnDisconnect then) {
            onDisconnect = then;
            return this;
        }

        private Job job() {
            return sandbox == null ? runJob() : execJob(sandbox.id());
        }

        private Job execJob(SandboxId id) {
            return new Job.Exec(
                    JobId.next(),
                    "default",
                    id,
                    command(),
                    stdin,
                    limits.time(),
                    limits.outputBytes(),
                    onDisconnect,
                    policy,
                    Map.of(),
                    null);
        }

        private Job runJob() {
            return new Job.Run(
                    JobId.next(),
                    "default",
                    image,
                    command(),
                    stdin,
                    files,
                    limits,
                    onDisconnect,
                    policy,
                    Map.of(),
                    mounts,
                    isolation(),
                    null);
        }

        public Attempt attempt() throws InterruptedException {
            return runtime.start(job(), StartTimeline.begin());
        }

        public Execution start() throws InterruptedException {
            return switch (attempt()) {
                case Attempt.Accepted accepted -> accepted.execution();
                case Attempt.Refused refused -> throw new AssertionError(refused.refusal());
            };
        }

        public Refusal refusal() throws InterruptedException {
            return switch (attempt()) {
                case Attempt.Accepted accepted -> throw new AssertionError("accepted " + accepted);
                case Attempt.Refused refused -> refused.refusal();
            };
        }

        public Result run() throws Exception {
            return Result.of(start());
        }
    }

    /// A sandbox that lasts, in the making.
    public final class Place extends Wish<Place> {
        private @Nullable String name;
        private @Nullable Duration ttl;
        private @Nullable Duration idle;

        private Place(List<String> argv) {
            super(argv);
        }

        @Override
        Place self() {
            return this;
        }

        public Place name(String text) {
            name = text;
            return this;
        }

        public Place ttl(Duration longest) {
            ttl = longest;
            return this;
        }

        public Place idle(Duration longest) {
            idle = longest;
            return this;
        }

        public Sandboxes.Creation attempt() throws InterruptedException {
            var spec = new SandboxSpec(
                    SandboxId.next(),
                    "default",
                    name,
                    ImageReference.HOST,
                    command(),
                    files,
                    limits,
                    Job.OutputPolicy.DROP,
                    Map.of("purpose", "test"),
                    ttl,
                    idle,
                    mounts,
                    isolation(),
                    null);
            return runtime.sandboxes().create(spec, StartTimeline.begin());
        }

        public LastingSandbox create() throws InterruptedException {
            return switch (attempt()) {
                case Sandboxes.Creation.Created created -> created.sandbox();
                case Sandboxes.Creation.Refused refused -> throw new AssertionError(refused.refusal());
            };
        }
    }
}
