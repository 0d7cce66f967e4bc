package dev.bobbin.runner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SysctlsTest {
    @Test
    void takesThoseOfASandboxsOwnNamespaces() {
        for (var name : List.of(
                "kernel.msgmax",
                "kernel.msgmnb",
                "kernel.msgmni",
                "kernel.sem",
                "kernel.shmall",
                "kernel.shmmax",
                "kernel.shmmni",
                "kernel.shm_rmid_forced",
                "fs.mqueue.queues_max",
                "net.core.somaxconn",
                "net.ipv4.conf.eth0.rp_filter")) {
            assertThat(sysctl(name, "1\t2 3").values()).containsEntry(name, "1\t2 3");
        }
    }

    @Test
    void refusesThoseOfTheMachineByName() {
        for (var name : List.of(
                "kernel.core_pattern",
                "kernel.msgmax.x",
                "kernel.shm_next_id",
                "kernel.hostname",
                "vm.overcommit_memory",
                "fs.file-max",
                "fs.mqueue",
                "user.max_user_namespaces",
                "net",
                "network.x")) {
            assertThatThrownBy(() -> sysctl(name, "1"))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("sysctls." + name + ": is of the whole machine");
        }
    }

    @Test
    void refusesNamesThatCouldLeadElsewhere() {
        for (var name : List.of(
                "",
                ".",
                "net.",
                ".net.core",
                "net..core",
                "net/core/somaxconn",
                "net.core/../kernel/panic",
                "net.a=b",
                "net.a\0b",
                "net.a:b",
                "net.ä",
                "net." + "x".repeat(200))) {
            assertThatThrownBy(() -> sysctl(name, "1")).as(name).hasMessageStartingWith("sysctls: a name is words");
        }
    }

    @Test
    void refusesValuesThatNoFileOfTheKernelTakes() {
        for (var value : List.of("", " ", "1\n2", "1\0", "ä", "x".repeat(257))) {
            assertThatThrownBy(() -> sysctl("net.core.somaxconn", value))
                    .as(value)
                    .hasMessageStartingWith("sysctls.net.core.somaxconn: must be 1 to 256");
        }
    }

    @Test
    void refusesTooMany() {
        var many = new HashMap<String, String>();
        for (var number = 0; number <= Sysctls.MOST; number++) {
            many.put("net.x" + number, "1");
        }
        assertThatThrownBy(() -> new Sysctls(many)).hasMessageStartingWith("sysctls: there are at most 64");
    }

    @Test
    void refusesThoseOfANetworkThatIsTheMachines() {
        var host = new Network.Host();
        assertThatThrownBy(() -> sysctl("net.core.somaxconn", "1").checkWith(host))
                .hasMessageStartingWith("sysctls.net.core.somaxconn: is of the machine's own network");
        sysctl("kernel.shmmax", "1").checkWith(host);
        sysctl("net.core.somaxconn", "1").checkWith(Network.NONE);
        sysctl("net.core.somaxconn", "1").checkWith(Network.Bridge.PLAIN);
    }

    @Test
    void leavesIpv6OfABridgeOff() {
        for (var where : List.of("all", "default", "eth0")) {
            var name = "net.ipv6.conf." + where + ".disable_ipv6";
            for (var value : List.of("0", " 0", "01")) {
                assertThatThrownBy(() -> sysctl(name, value).checkWith(Network.Bridge.PLAIN))
                        .hasMessageStartingWith("sysctls." + name + ": must be 1");
            }
            sysctl(name, "1").checkWith(Network.Bridge.PLAIN);
            sysctl(name, "0").checkWith(Network.NONE);
        }
        sysctl("net.ipv6.conf.lo.disable_ipv6", "0").checkWith(Network.Bridge.PLAIN);
    }

    private static Sysctls sysctl(String name, String value) {
        return new Sysctls(Map.of(name, value));
    }
}
