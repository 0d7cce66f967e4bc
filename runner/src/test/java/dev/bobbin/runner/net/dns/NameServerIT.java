package dev.bobbin.runner.net.dns;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Asks with dig, from addresses of loopback that stand for sandboxes; a dnsmasq is the world outside.
class NameServerIT {
    private static final String WEB = "127.0.1.1";
    private static final String OTHER = "127.0.1.2";
    private static final String PINNED = "127.0.1.3";
    private static final String NOBODY = "127.0.1.9";

    @TempDir
    private Path directory;

    private final List<QueryResult> asked = new CopyOnWriteArrayList<>();
    private Dnsmasq outside;
    private NameServer server;
    private final TableAsker web =
            new TableAsker("shop", Map.of("db", List.of(ip("10.1.0.2"), ip("10.1.0.3"))), List.of());
    private final TableAsker other = new TableAsker("bank", Map.of("vault", List.of(ip("10.1.0.9"))), List.of());
    private final TableAsker pinned = new TableAsker(
            "shop",
            Map.of("db", List.of(ip("10.1.0.2"))),
            List.of("public.example.org", "alias.example.org", "evil.example.org", "many.example.org"));
    private final Neighbours neighbours = source -> Optional.ofNullable(
            Map.<String, Asker>of(WEB, web, OTHER, other, PINNED, pinned).get(source.getHostAddress()));

    @BeforeEach
    void listen() throws Exception {
        var hosts = new ArrayList<>(List.of(
                "203.0.113.7 public.example.org",
                "203.0.113.8 mixed.example.org",
                "10.0.0.1 mixed.example.org",
                "169.254.169.254 evil.example.org",
                "::ffff:10.0.0.1 mapped.example.org",
                "2001:db8::1 public.example.org"));
        IntStream.range(0, 40).forEach(index -> hosts.add("198.51.100." + index + " many.example.org"));
        outside = Dnsmasq.start(
                directory,
                hosts,
                "--cname=alias.example.org,public.example.org",
                "--txt-record=big.example.org," + String.join(",", Collections.nCopies(12, "x".repeat(250))),
                "--txt-record=small.example.org,hello");
        server = listen(outside.address());
    }

    private NameServer listen(InetSocketAddress... upstreams) throws IOException {
        var config = new DnsConfig(List.of(upstreams), Path.of("/nowhere"));
        return NameServer.listen(
                new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), neighbours, config, asked::add);
    }

    @AfterEach
    void end() throws Exception {
        server.close();
        outside.close();
    }

    @Test
    void namesTheSandboxesOfTheAskersProject() throws Exception {
        assertThat(dig(WEB, "+short", "db")).contains("10.1.0.2", "10.1.0.3");
        assertThat(dig(WEB, "+short", "DB.shop")).contains("10.1.0.2");
        assertThat(dig(WEB, "+short", "+tcp", "db")).contains("10.1.0.2");
        assertThat(dig(WEB, "+short", "-x", "10.1.0.2")).isEqualTo("db.");
        var sixth = dig(WEB, "db", "AAAA");
        assertThat(sixth).contains("status: NOERROR").contains("ANSWER: 0");
    }

    @Test
    void namesNobodyElses() throws Exception {
        assertThat(dig(WEB, "vault")).contains("status: NXDOMAIN");
        assertThat(dig(WEB, "vault.bank")).contains("status: ").doesNotContain("10.1.0.9");
        assertThat(dig(WEB, "-x", "10.1.0.9")).contains("status: NXDOMAIN");
        assertThat(dig(OTHER, "db")).contains("status: NXDOMAIN");
        assertThat(dig(OTHER, "+short", "vault")).isEqualTo("10.1.0.9");
    }

    @Test
    void answersNobodyWhoIsNoSandbox() throws Exception {
        assertThat(dig(NOBODY, "db")).contains("no servers could be reached");
        assertThat(dig(NOBODY, "+tcp", "db")).doesNotContain("10.1.0.2");
    }

    @Test
    void asksOthersForOtherNames() throws Exception {
        assertThat(dig(WEB, "+short", "public.example.org")).isEqualTo("203.0.113.7");
        assertThat(dig(WEB, "+short", "public.example.org", "AAAA")).isEqualTo("2001:db8::1");
        assertThat(dig(WEB, "+short", "alias.example.org")).contains("public.example.org.", "203.0.113.7");
        assertThat(dig(WEB, "+short", "+noedns", "small.example.org", "TXT")).isEqualTo("\"hello\"");
        assertThat(dig(WEB, "none.example.org")).contains("status: NXDOMAIN");
    }

    @Test
    void passesLongAnswersByTcp() throws Exception {
        assertThat(dig(WEB, "big.example.org", "TXT")).contains("x".repeat(250)).contains("(TCP)");
        assertThat(dig(WEB, "+ignore", "big.example.org", "TXT"))
                .contains(" tc ")
                .contains("ANSWER: 0");
    }

    @Test
    void leavesOutAddressesThatNobodyMayBeLedTo() throws Exception {
        assertThat(dig(WEB, "+short", "mixed.example.org")).isEqualTo("203.0.113.8");
        assertThat(dig(WEB, "evil.example.org")).contains("status: NOERROR").doesNotContain("169.254");
        assertThat(dig(WEB, "mapped.example.org", "AAAA")).contains("ANSWER: 0").doesNotContain("10.0.0.1");
        assertThat(dig(WEB, "evil.example.org", "ANY")).contains("status: NOTIMP");
    }

    @Test
    void opensWhatListedNamesLeadToAndRefusesOthers() throws Exception {
        assertThat(dig(PINNED, "+short", "alias.example.org")).contains("203.0.113.7");
        assertThat(pinned.granted()).containsExactly(Map.entry(ip("203.0.113.7"), Duration.ofMinutes(1)));
        assertThat(dig(PINNED, "mixed.example.org")).contains("status: REFUSED");
        assertThat(dig(PINNED, "small.example.org", "TXT")).contains("status: REFUSED");
        assertThat(dig(PINNED, "evil.example.org")).contains("ANSWER: 0");
        assertThat(dig(PINNED, "public.example.org", "TYPE65")).contains("ANSWER: 0");
        assertThat(pinned.granted()).hasSize(1);
        assertThat(dig(PINNED, "+short", "db")).isEqualTo("10.1.0.2");
        assertThat(web.granted()).isEmpty();
    }

    @Test
    void opensAndTellsOnlyTheFirstOfManyAddresses() throws Exception {
        assertThat(dig(WEB, "+tcp", "many.example.org")).contains("ANSWER: 40");
        var told = dig(PINNED, "+tcp", "+short", "many.example.org").lines().toList();
        assertThat(told).hasSize(32);
        assertThat(pinned.granted().keySet())
                .extracting(Inet4Address::getHostAddress)
                .containsExactlyInAnyOrderElementsOf(told);
    }

    @Test
    void refusesWhatIsNoQuestionForIt() throws Exception {
        assertThat(dig(WEB, "example.org", "AXFR")).contains("Transfer failed");
        assertThat(dig(WEB, "version.bind", "CH", "TXT")).contains("status: REFUSED");
        assertThat(dig(WEB, "+opcode=NOTIFY", "public.example.org")).contains("status: NOTIMP");
        assertThat(dig(WEB, "+edns=1", "+noednsneg", "public.example.org")).contains("status: BADVERS");
        try (var socket = new DatagramSocket(0, ip(WEB))) {
            socket.setSoTimeout(5000);
            var bytes = new byte[] {0x12, 0x34, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0};
            socket.send(new DatagramPacket(bytes, bytes.length, server.address()));
            var answer = new DatagramPacket(new byte[512], 512);
            socket.receive(answer);
            var said = MessageReader.read(ByteBuffer.wrap(answer.getData(), 0, answer.getLength()));
            assertThat(said.id()).isEqualTo(0x1234);
            assertThat(said.code()).isEqualTo(ResponseCode.FORMAT_ERROR);
        }
    }

    @Test
    void saysThatItFailedWhenNobodyAnswers() throws Exception {
        try (var silent = new DatagramSocket(0, InetAddress.getLoopbackAddress());
                var alone = listen((InetSocketAddress) silent.getLocalSocketAddress())) {
            var before = System.nanoTime();
            assertThat(dig(alone, WEB, "+timeout=10", "public.example.org")).contains("status: SERVFAIL");
            assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(5));
        }
    }

    @Test
    void asksTheNextWhenOneIsSilentAndThatFirstForAWhile() throws Exception {
        try (var silent = new DatagramSocket(0, InetAddress.getLoopbackAddress());
                var two = listen((InetSocketAddress) silent.getLocalSocketAddress(), outside.address())) {
            var before = System.nanoTime();
            assertThat(dig(two, WEB, "+short", "public.example.org")).isEqualTo("203.0.113.7");
            var between = System.nanoTime();
            assertThat(dig(two, WEB, "+short", "public.example.org")).isEqualTo("203.0.113.7");
            assertThat(System.nanoTime() - between).isLessThan(between - before);
        }
    }

    @Test
    void readsTheMachinesServersAgainWhenTheyChange() throws Exception {
        var file = Files.writeString(directory.resolve("resolv.conf"), "# none\nnameserver 192.0.2.1\n");
        var upstreams = new Upstreams(new DnsConfig(List.of(), file));
        assertThat(upstreams.inOrder()).containsExactly(new InetSocketAddress(InetAddress.ofLiteral("192.0.2.1"), 53));
        var next = Files.writeString(directory.resolve("next"), "nameserver 192.0.2.2\nnameserver ::1\nnameserver x\n");
        Files.move(next, file, StandardCopyOption.REPLACE_EXISTING);
        assertThat(upstreams.inOrder())
                .containsExactly(
                        new InetSocketAddress(InetAddress.ofLiteral("192.0.2.2"), 53),
                        new InetSocketAddress(InetAddress.ofLiteral("::1"), 53));
        Files.delete(file);
        assertThat(upstreams.inOrder()).containsExactly(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 53));
    }

    @Test
    void believesOnlyAnswersToWhatItAsked() throws Exception {
        var ports = new ArrayList<Integer>();
        var ids = new ArrayList<Integer>();
        Thread lying;
        try (var liar = new DatagramSocket(0, InetAddress.getLoopbackAddress());
                var trusting = listen((InetSocketAddress) liar.getLocalSocketAddress())) {
            lying = Thread.ofVirtual().start(() -> lie(liar, ports, ids));
            for (var round = 0; round < 8; round++) {
                assertThat(dig(trusting, WEB, "+short", "public.example.org")).isEqualTo("203.0.113.99");
            }
        }
        lying.join();
        assertThat(ports).doesNotHaveDuplicates().hasSize(8);
        assertThat(ids).doesNotHaveDuplicates();
    }

    /// Says three untrue things to each question before the one that is to be believed.
    private static void lie(DatagramSocket socket, List<Integer> ports, List<Integer> ids) {
        try {
            while (true) {
                var packet = new DatagramPacket(new byte[2048], 2048);
                socket.receive(packet);
                var query = MessageReader.read(ByteBuffer.wrap(packet.getData(), 0, packet.getLength()));
                ports.add(packet.getPort());
                ids.add(query.id());
                var name = DomainName.of("public.example.org").orElseThrow();
                var lies = List.of(ResourceRecord.address(name, ip("203.0.113.66"), 5));
                var truth = List.of(ResourceRecord.address(name, ip("203.0.113.99"), 5));
                var question = new Question(DomainName.of("x.example.org").orElseThrow(), Types.A, Types.IN);
                var stranger = Message.query(query.id() ^ 1, 0, Objects.requireNonNull(query.question()), null);
                send(socket, packet, stranger.answered(0, lies));
                send(
                        socket,
                        packet,
                        Message.query(query.id(), 0, question, null).answered(0, lies));
                socket.send(new DatagramPacket(new byte[] {1, 2, 3}, 3, packet.getSocketAddress()));
                send(socket, packet, query.answered(0, truth));
            }
        } catch (IOException _) {
            // closed
        }
    }

    private static void send(DatagramSocket socket, DatagramPacket to, Message message) throws IOException {
        var bytes = MessageWriter.write(message, 2048);
        socket.send(new DatagramPacket(bytes, bytes.length, to.getSocketAddress()));
    }

    @Test
    void oneThatFloodsIsNotServedAndAnotherIs() throws Exception {
        try (var silent = new DatagramSocket(0, InetAddress.getLoopbackAddress());
                var slow = listen((InetSocketAddress) silent.getLocalSocketAddress());
                var flood = new DatagramSocket(0, ip(WEB))) {
            var question = new Question(DomainName.of("a.example.org").orElseThrow(), Types.A, Types.IN);
            for (var id = 0; id < 5000; id++) {
                var bytes = MessageWriter.write(Message.query(id, 0, question, null), 512);
                flood.send(new DatagramPacket(bytes, bytes.length, slow.address()));
            }
            assertThat(dig(slow, OTHER, "+short", "vault")).isEqualTo("10.1.0.9");
            silent.setSoTimeout(500);
            var passedOn = 0;
            try {
                while (true) {
                    silent.receive(new DatagramPacket(new byte[512], 512));
                    passedOn++;
                }
            } catch (SocketTimeoutException _) {
                // all that came
            }
            assertThat(passedOn).isPositive().isLessThanOrEqualTo(Allowances.AT_ONCE_EACH * 2);
        }
    }

    @Test
    void aBurstOfHonestQuestionsIsAnswered() throws Exception {
        try (var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
            var answers = new ArrayList<Future<String>>();
            for (var index = 0; index < 16; index++) {
                answers.add(tasks.submit(() -> dig(WEB, "+short", "public.example.org")));
            }
            for (var answer : answers) {
                assertThat(answer.get()).isEqualTo("203.0.113.7");
            }
        }
    }

    @Test
    void severalQuestionsComeOnOneConnectionAndItsEndIsSeen() throws Exception {
        assertThat(dig(WEB, "+short", "+tcp", "+keepopen", "public.example.org", "db"))
                .contains("203.0.113.7", "10.1.0.2");
        try (var socket = new Socket()) {
            socket.bind(new InetSocketAddress(ip(WEB), 0));
            socket.connect(server.address());
            socket.getOutputStream().write(new byte[] {0, 3, 1, 2, 3});
            socket.setSoTimeout(5000);
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
        }
    }

    @Test
    void tellsWhatBecameOfEachQuestion() throws Exception {
        dig(WEB, "+short", "db");
        dig(WEB, "+short", "public.example.org");
        dig(WEB, "+short", "nobody");
        dig(PINNED, "+short", "big.example.org");
        try (var socket = new DatagramSocket(new InetSocketAddress(ip(WEB), 0))) {
            socket.setSoTimeout(5000);
            var torn = new byte[] {0, 7, 1, 0, 0, 9, 0, 0, 0, 0, 0, 0};
            socket.send(new DatagramPacket(torn, torn.length, server.address()));
            socket.receive(new DatagramPacket(new byte[512], 512));
        }
        assertThat(asked)
                .containsExactly(
                        QueryResult.ANSWERED,
                        QueryResult.ANSWERED,
                        QueryResult.NO_SUCH_NAME,
                        QueryResult.REFUSED,
                        QueryResult.MALFORMED);
    }

    @Test
    void anotherListensWhereOneHasClosed() throws Exception {
        var address = server.address();
        assertThat(dig(WEB, "+short", "+tcp", "db")).contains("10.1.0.2");
        server.close();
        server = NameServer.listen(
                address, neighbours, new DnsConfig(List.of(outside.address()), Path.of("/nowhere")), asked::add);
        assertThat(dig(WEB, "+short", "db")).contains("10.1.0.2");
        assertThat(dig(WEB, "+short", "+tcp", "db")).contains("10.1.0.2");
    }

    private String dig(String from, String... question) throws IOException, InterruptedException {
        return dig(server, from, question);
    }

    private static String dig(NameServer server, String from, String... question)
            throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of(
                "dig", "-b", from, "@127.0.0.1", "-p", "" + server.address().getPort(), "+tries=1", "+timeout=3"));
        command.addAll(List.of(question));
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        var said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return said.strip();
    }

    private static Inet4Address ip(String text) {
        return Inet4Address.ofLiteral(text);
    }
}
