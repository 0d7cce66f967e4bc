package dev.bobbin.ops.config;

import dev.bobbin.image.ImageReference;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Rights;
import dev.bobbin.runner.build.BuildConfig;
import dev.bobbin.runner.host.HostConfig;
import dev.bobbin.runner.seccomp.FilterSource;
import dev.bobbin.runner.volume.BindConfig;
import dev.bobbin.scheduler.admission.AdmissionConfig;
import dev.bobbin.scheduler.dispatch.PublishConfig;
import dev.bobbin.scheduler.http.HttpConfig;
import dev.bobbin.scheduler.http.Listen;
import dev.bobbin.scheduler.tenant.Scope;
import dev.bobbin.scheduler.tenant.Tenant;
import dev.bobbin.scheduler.tenant.Token;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// All settings of one Bobbin.
///
/// @param http the front; its listeners include the socket in the run directory, which is always served
/// @param drainTimeout how long jobs whose caller waits may go on after SIGTERM
/// @param hostImage whether the built-in image `host` exists
/// @param images where images are kept and where they come from
/// @param tokens secrets that each admit their bearer; without any, everybody who can connect is admitted
/// @param admission the gate
/// @param publish where callers may publish ports of sandboxes
/// @param preflightEvery how often the isolation of sandboxes is checked while it serves; zero for never
/// @param host this machine as a place where jobs run
public record BobbinConfig(
        HttpConfig http,
        Duration drainTimeout,
        boolean hostImage,
        ImagesConfig images,
        List<Token> tokens,
        AdmissionConfig admission,
        PublishConfig publish,
        Duration preflightEvery,
        HostConfig host) {

    static final String FLAGS = "command line";

    public static final List<String> DEFAULT_LISTEN = List.of("127.0.0.1:8080");
    public static final Path DEFAULT_DATA_DIR = Path.of("/var/lib/bobbin");
    public static final Path DEFAULT_RUN_DIR = Path.of("/run/bobbin");
    public static final Duration DEFAULT_DRAIN_TIMEOUT = Duration.ofSeconds(10);

    private static final Duration DEFAULT_PREFLIGHT_EVERY = Duration.ofMinutes(15);
    private static final Duration DEFAULT_GRACE = Duration.ofSeconds(1);
    private static final Duration ORPHAN_GRACE = Duration.ofSeconds(1);
    private static final Duration EMBEDDED_GRACE = Duration.ofMillis(100);

    /// Each adds one token, so that a client of the dialect it belongs to needs no other setting.
    private static final List<String> TOKEN_VARIABLES =
            List.of("BOBBIN_API_TOKEN", "MINIBOX_API_TOKEN", "AGENTKERNEL_API_KEY");

    /// Variables of the launcher and of this reader; the rest of `BOBBIN_*` are settings.
    private static final List<String> OTHER_VARIABLES =
            List.of("BOBBIN_JAVA_HOME", "BOBBIN_JVM_DIR", "BOBBIN_STARTUP_CACHE", "BOBBIN_CONFIG");

    public BobbinConfig {
        tokens = List.copyOf(tokens);
        if (drainTimeout.isNegative()) {
            throw new ConfigException("drain-timeout: must not be negative.");
        }
        if (preflightEvery.isNegative()) {
            throw new ConfigException("preflight-every: must not be negative.");
        }
        if (tokens.isEmpty()) {
            http.listen().forEach(BobbinConfig::checkReach);
        }
    }

    /// Reads the settings of one start.
    ///
    /// @param flags settings of the command line by key; these win
    /// @param environment variables of this process
    /// @param file the YAML file named on the command line, if any, before the one that `BOBBIN_CONFIG` names
    public static BobbinConfig read(
            Map<String, List<String>> flags, Map<String, String> environment, @Nullable Path file) {
        var settings = settings(flags, environment, file);
        var config = read(settings, environment);
        settings.refuseUnknown();
        return config;
    }

    /// Every key there is, sorted.
    static List<String> keys() {
        var settings = new Settings();
        var _ = read(settings, Map.of());
        return settings.knownKeys();
    }

    /// The same settings for a server of one command, in directories of its own, reached by nothing but its socket.
    ///
    /// @param imageDir where its images are kept
    public BobbinConfig embedded(Path dataDir, Path runDir, Path imageDir, int pool) {
        return new BobbinConfig(
                new HttpConfig(
                        List.of(new Listen.Unix(socket(runDir))),
                        List.of(),
                        List.of(),
                        http.defaultImage(),
                        EMBEDDED_GRACE,
                        http.stalled(),
                        http.sharedPrefixes()),
                Duration.ZERO,
                hostImage,
                images.in(imageDir),
                List.of(),
                admission,
                publish,
                Duration.ZERO,
                new HostConfig(
                        dataDir,
                        runDir,
                        pool,
                        ORPHAN_GRACE,
                        host.keepEnded(),
                        host.keepEndedBytes(),
                        host.allowUnenforcedLimits(),
                        host.binds(),
                        host.seccomp(),
                        host.network(),
                        host.rights(),
                        host.builds()));
    }

    @Override
    public String toString() {
        return "BobbinConfig[http=" + http + ", host=" + host + "]";
    }

    /// The name of the image of a job that names none.
    public String defaultImage() {
        return http.defaultImage().text();
    }

    /// Where a server with these settings can always be reached by its own user.
    public Path socket() {
        return socket(host.runDir());
    }

    public static Path socket(Path runDir) {
        return runDir.resolve("api.sock");
    }

    private static Settings settings(
            Map<String, List<String>> flags, Map<String, String> environment, @Nullable Path file) {
        var settings = new Settings();
        MiniboxVariables.settings(environment).forEach((variable, setting) -> settings.add(setting, variable));
        var chosen = Optional.ofNullable(file)
                .or(() -> Optional.ofNullable(environment.get("BOBBIN_CONFIG")).map(Path::of));
        chosen.ifPresent(path -> settings.add(YamlFile.read(path), path.toString()));
        settings.addEnvironment(environment);
        TOKEN_VARIABLES.forEach(settings::ignoreVariable);
        OTHER_VARIABLES.forEach(settings::ignoreVariable);
        settings.add(flags, FLAGS);
        return settings;
    }

    private static BobbinConfig read(Settings settings, Map<String, String> environment) {
        var host = host(settings);
        return new BobbinConfig(
                http(settings, host),
                settings.duration("drain-timeout", DEFAULT_DRAIN_TIMEOUT),
                settings.onOff("host-image", true),
                images(settings, environment, host),
                tokens(environment),
                admission(settings),
                new NetworkSettings(settings).publish(),
                settings.duration("preflight-every", DEFAULT_PREFLIGHT_EVERY),
                host);
    }

    private static List<Token> tokens(Map<String, String> environment) {
        var tokens = new ArrayList<Token>();
        for (var name : TOKEN_VARIABLES) {
            var secret = environment.getOrDefault(name, "").strip();
            if (!secret.isEmpty()) {
                tokens.add(Token.of(name, secret, Tenant.DEFAULT, EnumSet.of(Scope.READ, Scope.RUN)));
            }
        }
        return tokens;
    }

    private static HttpConfig http(Settings settings, HostConfig host) {
        var listen = new ArrayList<>(settings.texts("listen", DEFAULT_LISTEN).stream()
                .map(text -> checked("", () -> Listen.parse(text)))
                .toList());
        listen.add(new Listen.Unix(socket(host.runDir())));
        var hosts = settings.texts("http.allowed-hosts", List.of());
        var origins = settings.texts("http.allowed-origins", List.of());
        var grace = settings.duration("http.grace", DEFAULT_GRACE);
        var stalled = settings.duration("http.stalled", HttpConfig.USUALLY_STALLED);
        var image = settings.one("default-image", ImageReference.HOST, ImageReference::new);
        var shared = paths(settings, "http.shared-prefixes", HttpConfig.USUALLY_SHARED);
        return checked("http.", () -> new HttpConfig(listen, hosts, origins, image, grace, stalled, shared));
    }

    private static void checkReach(Listen listen) {
        if (listen instanceof Listen.Tcp tcp) {
            try {
                if (!InetAddress.getByName(tcp.host()).isLoopbackAddress()) {
                    throw new ConfigException("listen: " + tcp + " can be reached from other machines, so a token is"
                            + " needed: set BOBBIN_API_TOKEN, or listen on 127.0.0.1.");
                }
            } catch (UnknownHostException _) {
                throw new ConfigException("listen: the host name \"" + tcp.host() + "\" has no address.");
            }
        }
    }

    private static AdmissionConfig admission(Settings settings) {
        var absent = AdmissionConfig.DEFAULT;
        var jobs = settings.integer("admission.jobs", absent.jobs());
        var line = settings.integer("admission.line", absent.line());
        var patience = settings.duration("admission.patience", absent.patience());
        var overcommit = settings.one("admission.overcommit", absent.overcommit(), BobbinConfig::number);
        var sandboxes = settings.integer("admission.sandboxes", absent.sandboxes());
        var sandboxOvercommit =
                settings.one("admission.sandbox-overcommit", absent.sandboxOvercommit(), BobbinConfig::number);
        return checked(
                "admission.",
                () -> new AdmissionConfig(jobs, line, patience, overcommit, sandboxes, sandboxOvercommit));
    }

    private static double number(String text) {
        try {
            return Double.parseDouble(text);
        } catch (NumberFormatException _) {
            throw new IllegalArgumentException("must be a number, not \"" + text + "\"");
        }
    }

    private static ImagesConfig images(Settings settings, Map<String, String> environment, HostConfig host) {
        return checked("images.", () -> new ImageSettings(settings, environment).read(host.dataDir()));
    }

    private static HostConfig host(Settings settings) {
        var dataDir = settings.path("data-dir", DEFAULT_DATA_DIR);
        var runDir = settings.path("run-dir", DEFAULT_RUN_DIR);
        var pool = settings.integer("host.pool", HostConfig.DEFAULT_POOL);
        var keepEnded = settings.duration("host.keep-ended", HostConfig.DEFAULT_KEEP_ENDED);
        var keepEndedBytes = settings.bytes("host.keep-ended-bytes", HostConfig.DEFAULT_KEEP_ENDED_BYTES);
        var allowUnenforced = settings.onOff("host.allow-unenforced-limits", false);
        var prefixes = paths(settings, "host.bind-prefixes", List.of());
        var writable = paths(settings, "host.writable-bind-prefixes", List.of());
        var everybody = settings.one("host.bind-callers", false, BobbinConfig::everybody);
        var seccomp = settings.one("host.seccomp", FilterSource.STANDARD, FilterSource::parse);
        var profiles = settings.files("host.seccomp-profiles");
        var filters = checked("host.seccomp-profiles: ", () -> seccomp.naming(profiles));
        var network = checked("host.", new NetworkSettings(settings)::network);
        var allowed = settings.texts("host.rights.allowed", List.of());
        var rights = checked("host.", () -> Rights.allowed(allowed));
        var builds = builds(settings);
        return checked(
                "host.",
                () -> new HostConfig(
                        dataDir,
                        runDir,
                        pool,
                        null,
                        keepEnded,
                        keepEndedBytes,
                        allowUnenforced,
                        new BindConfig(prefixes, writable, everybody),
                        filters,
                        network,
                        rights,
                        builds));
    }

    private static BuildConfig builds(Settings settings) {
        var absent = BuildConfig.DEFAULT;
        var usual = absent.limits();
        var memory = settings.bytes("build.memory", usual.memoryBytes());
        var disk = settings.bytes("build.disk", usual.diskBytes());
        var time = settings.duration("build.time", usual.time());
        var output = settings.bytes("build.output", usual.outputBytes());
        var parallel = settings.integer("build.parallel", absent.parallel());
        var contextBytes = settings.bytes("build.context-bytes", absent.contextBytes());
        var uploads = settings.integer("build.uploads", absent.uploads());
        var uploadBytes = settings.bytes("build.upload-bytes", absent.uploadBytes());
        var cacheBytes = settings.bytes("build.cache-bytes", absent.cacheBytes());
        var cacheEntries = settings.integer("build.cache-entries", absent.cacheEntries());
        var keepUnused = settings.duration("build.keep-unused", absent.keepUnused());
        return checked("build.", () -> {
            var limits = new Limits(memory, usual.cpus(), usual.pids(), time, output, disk);
            return new BuildConfig(
                    parallel, contextBytes, uploads, uploadBytes, cacheBytes, cacheEntries, keepUnused, limits);
        });
    }

    private static List<Path> paths(Settings settings, String key, List<Path> absent) {
        var usual = absent.stream().map(Path::toString).toList();
        return settings.texts(key, usual).stream().map(Path::of).toList();
    }

    private static boolean everybody(String text) {
        return switch (text) {
            case "all" -> true;
            case "admin" -> false;
            default -> throw new IllegalArgumentException("must be admin or all, not \"" + text + "\"");
        };
    }

    /// A record whose message starts with the name of a wrong component; the directories have no prefix.
    private static <T> T checked(String prefix, Supplier<T> settings) {
        try {
            return settings.get();
        } catch (IllegalArgumentException wrong) {
            var message = String.valueOf(wrong.getMessage());
            var hasOwnKey = message.startsWith("run-dir:") || message.startsWith("listen:");
            throw new ConfigException((hasOwnKey ? "" : prefix) + message + ".");
        }
    }
}
