package dev.bobbin.runner.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.bobbin.runner.host.TestHost;
import dev.bobbin.runner.kernel.Abi;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Which calls a job's process may make, asked from inside through each ABI and compared with a list that is kept
/// (`allowed-calls`). A call more on it is a decision.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(60)
class AllowedCallsIT {
    /// Newer ones are known to some versions of libseccomp only.
    private static final int LAST_NUMBER = 450;

    private TestHost host;

    @BeforeAll
    void open() throws Exception {
        assumeTrue(Abi.ofMachine() == Abi.X86_64, "the list is of x86 machines");
        host = TestHost.open(2);
    }

    @AfterAll
    void close() throws Exception {
        if (host != null) {
            host.close();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"x86-64", "x32", "i386"})
    void areThoseOfTheList(String abi) throws Exception {
        var allowed = ask(abi).entrySet().stream()
                .filter(call -> call.getValue().equals("allowed") && call.getKey() <= LAST_NUMBER)
                .map(call -> abi + " " + call.getKey())
                .collect(Collectors.joining("\n"));
        assertThat(allowed).isEqualTo(listed(abi));
    }

    @ParameterizedTest
    @ValueSource(strings = {"x86-64", "x32", "i386"})
    void failInWordsIfTheyAreNot(String abi) throws Exception {
        assertThat(ask(abi).values()).isSubsetOf("allowed", "EPERM", "ENOSYS");
        assertThat(ask(abi)).containsEntry(435, "ENOSYS").containsEntry(599, "ENOSYS");
    }

    @ParameterizedTest
    @ValueSource(strings = {"x86-64", "i386"})
    void areTheSameForExecs(String abi) throws Exception {
        var sandbox = host.place().probe().workdir("/w").create();
        var result = host.exec(sandbox, "./probe", "calls", abi).workdir("/w").run();
        assertThat(answers(result.stdout())).isEqualTo(ask(abi));
    }

    @ParameterizedTest
    @CsvSource({
        "AF_UNIX, 1, 0, allowed",
        "AF_INET, 2, 0, allowed",
        "AF_INET6, 10, 0, allowed",
        "NETLINK_ROUTE, 16, 0, allowed",
        "NETLINK_AUDIT, 16, 9, EPROTONOSUPPORT",
        "AF_UNSPEC, 0, 0, EPERM",
        "AF_PACKET, 17, 0, EPERM",
        "AF_ALG, 38, 0, EPERM",
        "AF_VSOCK, 40, 0, EPERM",
        "AF_XDP, 44, 0, EPERM",
    })
    void makeSocketsOfTheseFamilies(String name, int family, int protocol, String answer) throws Exception {
        assertThat(ask("x86-64", 41, family, 1, protocol)).as(name).isEqualTo(answer);
        assertThat(ask("i386", 359, family, 1, protocol)).as(name).isEqualTo(answer);
    }

    @ParameterizedTest
    @CsvSource({"1, EPERM", "8, EPERM", "2, allowed", "3, allowed", "18, allowed", "21, ENOSYS"})
    void makeNoSocketByTheCallThatStandsForMany(int which, String answer) throws Exception {
        assertThat(ask("i386", 102, which)).isEqualTo(answer);
    }

    @ParameterizedTest
    @CsvSource({
        "a thread, 0x3d0f00, allowed",
        "NEWNS, 0x20000, EPERM",
        "NEWCGROUP, 0x2000000, EPERM",
        "NEWUTS, 0x4000000, EPERM",
        "NEWIPC, 0x8000000, EPERM",
        "NEWUSER, 0x10000000, EPERM",
        "NEWPID, 0x20000000, EPERM",
        "NEWNET, 0x40000000, EPERM",
    })
    void makeProcessesInTheNamespacesThatThereAre(String name, String flags, String answer) throws Exception {
        assertThat(ask("x86-64", 56, Long.decode(flags))).as(name).isEqualTo(answer);
        assertThat(ask("i386", 120, Long.decode(flags))).as(name).isEqualTo(answer);
    }

    @ParameterizedTest
    @CsvSource({"0, allowed", "8, allowed", "0x20000, allowed", "0xffffffff, allowed", "0x40000, EPERM", "6, EPERM"})
    void takeTheseExecutionDomains(String persona, String answer) throws Exception {
        assertThat(ask("x86-64", 135, Long.decode(persona))).isEqualTo(answer);
        assertThat(ask("i386", 136, Long.decode(persona))).isEqualTo(answer);
    }

    private Map<Integer, String> ask(String abi) throws Exception {
        var result = host.request("./probe", "calls", abi).workdir("/w").probe().run();
        assertThat(result.exitCode()).as(result.toString()).isZero();
        return answers(result.stdout());
    }

    private String ask(String abi, int number, long... arguments) throws Exception {
        var command = new ArrayList<>(List.of("./probe", "calls", abi, Integer.toString(number)));
        for (var argument : arguments) {
            command.add(Long.toString(argument));
        }
        var result = host.request(command.toArray(String[]::new))
                .workdir("/w")
                .probe()
                .run();
        return Objects.requireNonNull(answers(result.stdout()).get(number), result.toString());
    }

    private static Map<Integer, String> answers(String text) {
        var answers = new TreeMap<Integer, String>();
        text.lines().forEach(line -> {
            var words = line.split(" ", -1);
            answers.put(Integer.parseInt(words[0]), words[1]);
        });
        return answers;
    }

    /// Lines `ABI NUMBER NAME`; the name is for people.
    private static String listed(String abi) throws Exception {
        try (var in = AllowedCallsIT.class.getResourceAsStream("allowed-calls")) {
            return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> line.startsWith(abi + " "))
                    .map(line -> line.substring(0, line.lastIndexOf(' ')))
                    .collect(Collectors.joining("\n"));
        }
    }
}
