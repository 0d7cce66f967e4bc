package dev.bobbin.runner.host;

import dev.bobbin.runner.Job;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.Output;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/// A server in a process of its own, to be killed at any moment: `DIRECTORY steady` makes a sandbox with an exec that
/// counts and waits; `DIRECTORY busy SEED` makes, stops, starts and removes sandboxes for ever; `DIRECTORY bridge`
/// publishes
/// a port, `DIRECTORY bridges` starts jobs on a bridge for ever, and both say when they do; `DIRECTORY counting N`
/// keeps N sandboxes in which a program counts, and reads what those print; `DIRECTORY building` has a build that never
/// ends; `DIRECTORY build` writes down the digest of one, and ends.
final class DoomedServer {
    private static final int SIGTERM = 15;
    private static final String COUNTER =
            "i=0; while [ $i -lt 600 ]; do echo line $i; i=$((i+1)); sleep 0.005; done; exit 42";

    private DoomedServer() {}

    public static void main(String[] arguments) throws Exception {
        var root = Path.of(arguments[0]);
        var host = TestHost.open(0, root);
        switch (arguments[1]) {
            case "steady" -> steady(host, root);
            case "building" -> building(host, root);
            case "build" -> build(host, root);
            case "bridge" -> bridge(host, root);
            case "bridges" -> bridges(host, root);
            case "busy" -> busy(host, new Random(Long.parseLong(arguments[2])));
            default -> counting(host, root, Integer.parseInt(arguments[2]));
        }
    }

    private static void steady(TestHost host, Path root) throws Exception {
        var sandbox = host.place().name("steady").create();
        host.sh(sandbox, "echo before > /root/file");
        var ended = host.exec(sandbox, "sh", "-c", "echo done; exit 9").start();
        ended.await();
        var counting = host.exec(sandbox, "sh", "-c", COUNTER)
                .onDisconnect(Job.OnDisconnect.CONTINUE)
                .start();
        var stopped = host.place().name("stopped").create();
        host.sh(stopped, "echo asleep > /root/file");
        stopped.stop(SIGTERM, Duration.ofSeconds(5));
        Files.writeString(root.resolve("jobs.new"), ended.id() + "\n" + counting.id() + "\n");
        Files.move(root.resolve("jobs.new"), root.resolve("jobs"));
        Thread.currentThread().join();
    }

    private static void bridge(TestHost host, Path root) throws Exception {
        var port = new Network.PublishedPort(Network.Protocol.TCP, Network.PublishedPort.LOOPBACK, 0, 7000);
        var network = new Network.Bridge("shop", List.of("db"), List.of(port), Network.Egress.INTERNET);
        var server = host.place("./probe", "talk", "serve", "7000")
                .workdir("/w")
                .probe()
                .name("server")
                .network(network)
                .create();
        var chosen = ((Network.Bridge) server.network()).ports().getFirst().hostPort();
        while (!World.ask("tcp", "127.0.0.1", chosen).startsWith("10.")) {
            TimeUnit.MILLISECONDS.sleep(20);
        }
        ready(root, String.valueOf(chosen));
    }

    private static void bridges(TestHost host, Path root) throws Exception {
        for (var many = 0; many < 4; many++) {
            var number = many;
            Thread.ofVirtual().start(() -> {
                var project = new Network.Bridge("p" + number % 2, List.of(), List.of(), Network.Egress.INTERNET);
                while (true) {
                    try {
                        host.request("true").network(project).run();
                    } catch (Exception e) {
                        throw new AssertionError(e);
                    }
                }
            });
        }
        TimeUnit.MILLISECONDS.sleep(1000 + ThreadLocalRandom.current().nextInt(1000));
        ready(root, "busy");
    }

    private static void ready(Path root, String word) throws Exception {
        Files.writeString(root.resolve("ready.new"), word);
        Files.move(root.resolve("ready.new"), root.resolve("ready"));
        Thread.currentThread().join();
    }

    /// What a build that is killed has done, and what it has in its hands.
    static final String UNFINISHED = """
            FROM bb
            RUN echo done >/done
            RUN --mount=type=secret,id=s --mount=type=cache,target=/c,sharing=locked echo x >/c/x; echo begun; %s
            """;

    private static void building(TestHost host, Path root) throws Exception {
        new TestBuilds(host)
                .of("unfinished", UNFINISHED.formatted("sleep 600"))
                .secrets(Map.of("s", "hidden".getBytes(StandardCharsets.US_ASCII)))
                .start()
                .streamTo(output -> {
                    if (output instanceof Output.Bytes) {
                        try {
                            ready(root, "building");
                        } catch (Exception e) {
                            throw new AssertionError(e);
                        }
                    }
                });
    }

    private static void build(TestHost host, Path root) throws Exception {
        try (host) {
            Files.writeString(root.resolveSibling(root.getFileName() + ".digest"), TestBuilds.digestOfMuch(host));
        }
    }

    private static void busy(TestHost host, Random random) throws Exception {
        var grace = Duration.ofSeconds(1);
        var life = Integer.toHexString(random.nextInt());
        for (var number = 0; ; number++) {
            var sandbox = host.place().name("busy-" + life + "-" + number).create();
            for (var step = random.nextInt(4); step > 0; step--) {
                switch (random.nextInt(4)) {
                    case 0 -> host.sh(sandbox, "echo x > /root/file");
                    case 1 -> sandbox.stop(SIGTERM, grace);
                    case 2 -> sandbox.restart(SIGTERM, grace);
                    default -> sandbox.start();
                }
                sandbox.start();
            }
            if (number % 3 != 0) {
                sandbox.remove();
            }
        }
    }

    private static void counting(TestHost host, Path root, int sandboxes) throws Exception {
        for (var number = 0; number < sandboxes; number++) {
            var counting = new Counting(number, root.resolve("data/kept"));
            var execution = counting.in(host);
            Thread.ofVirtual().start(() -> {
                try {
                    counting.reading().goOn(execution);
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            });
        }
        Thread.currentThread().join();
    }
}
