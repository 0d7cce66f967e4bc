package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.Cidr;
import dev.bobbin.runner.Network.Bridge;
import dev.bobbin.runner.Network.Egress;
import dev.bobbin.runner.kernel.Nftables;
import dev.bobbin.runner.net.NetworkConfig;
import dev.bobbin.runner.net.Networks;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/// Who finds and reaches whom on a bridge by name.
final class BridgeProjectsIT extends BridgeTests {
    private @Nullable FakeNames names;

    @Override
    TestHost open(int pool) throws Exception {
        var opened = new FakeNames(world.there, world.hidden.getFirst());
        names = opened;
        return open(pool, new NetworkConfig(false, Cidr.of("10.128.0.0/10"), List.of(), List.of(opened.address())));
    }

    @AfterAll
    void closeNames() {
        if (names != null) {
            names.close();
        }
    }

    @Test
    void reachesItsProjectByNameAndNobodyElse() throws Exception {
        var server = host.place("./probe", "talk", "serve", "7000")
                .workdir("/w")
                .probe()
                .name("server-" + world.port)
                .network(project("shop", "db"))
                .create();
        var address = server.address().orElseThrow().getHostAddress();
        var first = ask(project("shop"), address, 7000);
        assertThat(first).allMatch(answer -> answer.startsWith("10.")).doesNotContain(address);
        assertThat(ask(Bridge.PLAIN, address, 7000)).allMatch(REFUSED::contains);
        assertThat(ask(project("other"), address, 7000)).allMatch(REFUSED::contains);
        assertThat(ask(project("shop"), address, 7000)).noneMatch(REFUSED::contains);
        for (var name : List.of("db", "server-" + world.port)) {
            assertThat(host.request("getent", "ahostsv4", name)
                            .network(project("shop"))
                            .run()
                            .stdout())
                    .contains(address);
            assertThat(host.request("getent", "ahostsv4", name)
                            .network(project("other"))
                            .run()
                            .stdout())
                    .isEmpty();
        }
        server.remove();
    }

    @Test
    void isFoundByItsNewNameOnceItIsRenamed() throws Exception {
        var before = "before-" + world.port;
        var after = "after-" + world.port;
        var place = host.place().name(before).network(project("renaming")).create();
        var client = host.place().network(project("renaming")).create();
        var address = place.address().orElseThrow().getHostAddress();
        assertThat(host.sh(client, "getent ahostsv4 " + before).stdout()).contains(address);
        assertThat(place.rename(after)).isEmpty();
        assertThat(host.sh(client, "getent ahostsv4 " + after).stdout()).contains(address);
        assertThat(host.sh(client, "getent ahostsv4 " + before).stdout()).isEmpty();
        place.remove();
        client.remove();
    }

    @Test
    void isFoundByTheLastNameThatItIsGivenWhileItStarts() throws Exception {
        var name = "hasty-" + world.port + "-";
        var place = host.place().name(name + "first").network(project("hasty")).create();
        var client = host.place().network(project("hasty")).create();
        for (var round = 0; round < 12; round++) {
            assertThat(place.stop(9, Duration.ZERO)).isEmpty();
            var names = name + round + "-";
            var pause = round;
            var renaming = Thread.ofVirtual().start(() -> {
                for (var count = 0; count < 20; count++) {
                    LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(100L * pause));
                    place.rename(names + count);
                }
            });
            assertThat(place.start()).isEmpty();
            renaming.join();
            assertThat(place.name()).contains(names + 19);
            assertThat(host.sh(client, "getent ahostsv4 " + names + 19).stdout())
                    .contains(place.address().orElseThrow().getHostAddress());
        }
        place.remove();
        client.remove();
    }

    @Test
    void isFoundBelowTheNameOfItsProjectHoweverThatIsWritten() throws Exception {
        var server = host.place().network(project("Capital", "db")).create();
        for (var name : List.of("db.capital", "db.Capital")) {
            assertThat(host.request("getent", "ahostsv4", name)
                            .network(project("Capital"))
                            .run()
                            .stdout())
                    .contains(server.address().orElseThrow().getHostAddress());
        }
        server.remove();
    }

    @Test
    void isNoMemberOfAProjectBecauseOthersMarkPackets() throws Exception {
        try (var filter = Nftables.open()) {
            var server = host.place("./probe", "talk", "serve", "7000")
                    .workdir("/w")
                    .probe()
                    .network(project("marked"))
                    .create();
            var ask = "cd /w; ./probe talk to tcp "
                    + server.address().orElseThrow().getHostAddress() + " 7000";
            var friend = host.place()
                    .workdir("/w")
                    .probe()
                    .network(project("marked"))
                    .create();
            var answer = "ECONNREFUSED";
            for (var tries = 0; tries < 100 && answer.equals("ECONNREFUSED"); tries++) {
                answer = host.sh(friend, ask).stdout().strip();
            }
            assertThat(answer).startsWith("10.");
            var client =
                    host.place().workdir("/w").probe().network(Bridge.PLAIN).create();
            var bridge = Networks.present(host.runDir()).getFirst();
            var marks = "inet marks-" + bridge;
            filter.run("""
                    table %s {
                      chain marks {
                        type filter hook prerouting priority mangle
                        iifname "%s-*" meta mark set 1
                      }
                    }
                    """.formatted(marks, bridge));
            try {
                assertThat(host.sh(client, ask).stdout().strip()).isIn(REFUSED);
            } finally {
                filter.run("delete table " + marks);
            }
            for (var place : List.of(server, friend, client)) {
                place.remove();
            }
        }
    }

    @Test
    void reachesWhatAnAllowedNameResolvesToOnceItHasAsked() throws Exception {
        var network = egress(new Egress(true, List.of(), List.of("good.test", "evil.test")));
        var place = host.place().workdir("/w").probe().network(network).create();
        var there = world.there.getHostAddress();
        var ask = "./probe talk to tcp " + there + " " + world.port;
        assertThat(host.sh(place, "cd /w; " + ask).stdout().strip()).isIn(REFUSED);
        assertThat(host.sh(place, "getent ahostsv4 other.test").exitCode()).isNotZero();
        assertThat(host.sh(place, "getent ahostsv4 evil.test").exitCode())
                .as("leads to an address of metadata")
                .isNotZero();
        assertThat(host.sh(place, "cd /w; " + ask).stdout().strip()).isIn(REFUSED);
        assertThat(host.sh(place, "getent ahostsv4 good.test | head -n 1; cd /w; " + ask)
                        .stdout())
                .startsWith(there)
                .endsWith(world.here.getHostAddress() + "\n");
        var hidden = world.hidden.getFirst().getHostAddress();
        assertThat(host.sh(place, "cd /w; ./probe talk to tcp " + hidden + " " + world.port)
                        .stdout()
                        .strip())
                .isIn(REFUSED);
        // what was granted outlives the server
        host.restart();
        var again = host.runtime().sandboxes().find(place.id()).orElseThrow();
        assertThat(host.sh(again, "cd /w; " + ask).stdout()).isEqualTo(world.here.getHostAddress() + "\n");
        assertThat(host.sh(again, "getent ahostsv4 good.test; cd /w; " + ask).stdout())
                .startsWith(there)
                .endsWith(world.here.getHostAddress() + "\n");
        again.remove();
    }
}
