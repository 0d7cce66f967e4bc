package dev.bobbin.runner.net.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.runner.host.Mutations;
import java.io.ByteArrayOutputStream;
import java.net.Inet4Address;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MessageTest {
    private static final String HEADER = "123481800001000100000000";
    private static final String QUESTION = "076578616d706c65036f7267000001" + "0001";

    @Test
    void readsWhatWasWritten() throws Exception {
        var random = new Random(1);
        for (var round = 0; round < 1000; round++) {
            var message = message(random);
            assertThat(read(MessageWriter.write(message, Integer.MAX_VALUE))).isEqualTo(message);
        }
    }

    @Test
    void readsCompressedNamesInOwnersAndData() throws Exception {
        // example.org CNAME www.example.org, whose last labels point at the question's
        var answer =
                read(hex(HEADER + QUESTION + "c00c" + "0005" + "0001" + "0000003c" + "0006" + "03777777" + "c00c"));
        assertThat(answer.answers()).hasSize(1);
        assertThat(answer.answers().getFirst().owner()).isEqualTo(name("example.org"));
        assertThat(answer.answers().getFirst().alias()).contains(name("www.example.org"));
    }

    @Test
    void pointsAtNamesThatStoodBefore() {
        var answers = new ArrayList<ResourceRecord>();
        for (var index = 0; index < 20; index++) {
            answers.add(ResourceRecord.pointer(name("a.long.name.example.org"), name("b.long.name.example.org"), 5));
        }
        var question = new Question(name("a.long.name.example.org"), Types.PTR, Types.IN);
        var message = Message.query(1, 0, question, null).answered(ResponseCode.NO_ERROR, answers);
        // 12 of the header, 29 of the question, then a pointer, 10 and a pointer each, and once a label
        assertThat(MessageWriter.write(message, 4096)).hasSize(12 + 29 + 20 * 14 + 2);
    }

    @Test
    void keepsTheLettersOfNamesAsTheyWere() throws Exception {
        var question = new Question(name("a.Example.org"), Types.PTR, Types.IN);
        var answer = ResourceRecord.pointer(name("A.example.org"), name("a.example.ORG"), 5);
        var message = Message.query(1, 0, question, null).answered(ResponseCode.NO_ERROR, List.of(answer));
        var read = read(MessageWriter.write(message, 512));
        assertThat(read.answers().getFirst().owner().wire())
                .isEqualTo(name("A.example.org").wire());
        assertThat(read.answers().getFirst().data()).isEqualTo(answer.data());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                // of owners: to itself, forward, into the header, to a pointer that goes back here
                "c01d",
                "c030",
                "c000",
                "01c0c01d",
                // of data: a loop through the owner
                "c00c0005000100000000" + "0002" + "c029",
                // labels of kinds that are no more, and one past the end
                "4161",
                "8061",
                "3f61"
            })
    void refusesNamesThatDoNotEnd(String record) {
        assertThatThrownBy(() -> read(hex(HEADER + QUESTION + record))).isInstanceOf(MalformedException.class);
    }

    @Test
    void refusesAChainOfPointersThatIsOnlyThere() {
        var chain = new StringBuilder(HEADER).append("00" + "0001" + "0001");
        // a pointer at the root's name, 1000 pointers each at the one before, as data that nobody reads
        chain.append("00" + "0010" + "0001" + "00000000" + "07d0").append("c00c");
        for (var index = 1; index < 1000; index++) {
            chain.append(String.format("%04x", 0xc000 | (28 + 2 * (index - 1))));
        }
        chain.replace(12, 16, "0002").append(String.format("%04x", 0xc000 | (28 + 2 * 999)));
        chain.append("0001" + "0001" + "00000000" + "0004" + "01020304");
        assertThatThrownBy(() -> read(hex(chain.toString())))
                .isInstanceOf(MalformedException.class)
                .hasMessage("a name does not end");
    }

    @Test
    void refusesNamesOverTheLongest() throws Exception {
        var longest = "3f" + "61".repeat(63);
        var most = longest.repeat(3) + "3d" + "61".repeat(61) + "00";
        var query = "123401000001000000000000";
        assertThat(read(hex(query + most + "00010001")).question()).isNotNull();
        var over = longest.repeat(3) + "3e" + "61".repeat(62) + "00";
        assertThatThrownBy(() -> read(hex(query + over + "00010001"))).isInstanceOf(MalformedException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                // an address of 3 and of 5 bytes, data past the end, a CNAME with something after its name
                "c00c0001000100000000" + "0003" + "010203",
                "c00c0001000100000000" + "0005" + "0102030405",
                "c00c0010000100000000" + "ffff" + "00",
                "c00c0005000100000000" + "0003" + "c00c00",
                // a name that ends where the record does not, an SOA without its numbers
                "c00c0005000100000000" + "0001" + "c00c",
                "c00c0006000100000000" + "0004" + "c00cc00c",
                // OPT among the answers; bytes after the end
                "00" + "0029" + "04d0" + "00000000" + "0000",
                "c00c0001000100000000" + "0004" + "01020304" + "00"
            })
    void refusesLengthsThatLie(String record) {
        assertThatThrownBy(() -> read(hex(HEADER + QUESTION + record))).isInstanceOf(MalformedException.class);
    }

    @Test
    void refusesMessagesThatAreCut() {
        var bytes = MessageWriter.write(message(new Random(3)), Integer.MAX_VALUE);
        for (var length = 0; length < bytes.length; length++) {
            var cut = ByteBuffer.wrap(bytes, 0, length);
            assertThatThrownBy(() -> MessageReader.read(cut)).isInstanceOf(MalformedException.class);
        }
    }

    @Test
    void saysThatAnAnswerIsTooLongForItsReader() throws Exception {
        var records = new ArrayList<ResourceRecord>();
        for (var index = 0; index < 40; index++) {
            records.add(ResourceRecord.address(name("x"), Inet4Address.ofLiteral("203.0.113." + index), 5));
        }
        var question = new Question(name("x"), Types.A, Types.IN);
        var query = Message.query(7, 0, question, null);
        var answer = query.answered(ResponseCode.NO_ERROR, records);
        var bytes = MessageWriter.write(answer, query.payloadBytes());
        assertThat(bytes.length).isLessThanOrEqualTo(512);
        assertThat(read(bytes).has(Message.TRUNCATED)).isTrue();
        var wider = Message.query(7, 0, question, new Edns(4096, 0, false)).payloadBytes();
        assertThat(read(MessageWriter.write(answer, wider)).answers()).hasSize(40);
    }

    @Test
    void namesAreTheSameInCapitalsAndNotReadWithDotsInLabels() throws Exception {
        assertThat(name("Example.ORG")).isEqualTo(name("example.org")).hasSameHashCodeAs(name("example.org"));
        // one label "a.b" is not the two of "a.b"
        var dotted = read(hex("123401000001000000000000" + "03612e6200" + "00010001"))
                .question();
        assertThat(dotted).extracting(question -> question.name().text()).isEqualTo(Optional.empty());
        assertThat(DomainName.of("a..b")).isEmpty();
        assertThat(DomainName.of("a".repeat(64))).isEmpty();
    }

    @Test
    void survivesEveryMutation() {
        var understood = Mutations.survive("names", 100_000, random -> {
            var bytes = MessageWriter.write(message(random), Integer.MAX_VALUE);
            var message = read(Mutations.mutate(random, bytes));
            var again = MessageWriter.write(message, Integer.MAX_VALUE);
            if (!read(again).equals(message)) {
                throw new IllegalStateException("not the same again: " + message);
            }
        });
        assertThat(understood).as("messages that were understood all the same").isPositive();
    }

    private static Message message(Random random) {
        var question = new Question(name(random), 1 + random.nextInt(300), 1 + random.nextInt(4));
        var edns = random.nextBoolean()
                ? new Edns(random.nextInt(0x10000), random.nextInt(3), random.nextBoolean())
                : null;
        return new Message(
                random.nextInt(0x10000),
                random.nextInt(0x10000) & ~(Message.TRUNCATED | 0xf),
                random.nextInt(edns == null ? 16 : 4096),
                question,
                records(random),
                records(random),
                records(random),
                edns);
    }

    private static List<ResourceRecord> records(Random random) {
        var records = new ArrayList<ResourceRecord>();
        for (var left = random.nextInt(5); left > 0; left--) {
            var types = new int[] {1, 2, 5, 6, 12, 14, 15, 16, 24, 26, 28, 30, 33, 35, 39, 64, 257};
            var type = types[random.nextInt(types.length)];
            records.add(new ResourceRecord(
                    name(random), type, 1, random.nextInt(Integer.MAX_VALUE), new RecordData(data(type, random))));
        }
        return records;
    }

    private static byte[] data(int type, Random random) {
        var data = new ByteArrayOutputStream();
        var layout = Types.layout(type);
        for (var index = 0; index < layout.length(); index++) {
            switch (layout.charAt(index)) {
                case 'n' -> data.writeBytes(name(random).wire());
                case 's' -> data.writeBytes(new byte[] {2, 'a', 'b'});
                case '.' -> {}
                default -> data.writeBytes(bytes(layout.charAt(index) - '0', random));
            }
        }
        if (!layout.endsWith(".")) {
            data.writeBytes(bytes(random.nextInt(30), random));
        }
        return data.toByteArray();
    }

    private static byte[] bytes(int count, Random random) {
        var bytes = new byte[count];
        random.nextBytes(bytes);
        return bytes;
    }

    private static DomainName name(Random random) {
        var labels = new String[] {"a", "Bb", "example", "org", "x".repeat(63)};
        var text = new StringBuilder(labels[random.nextInt(labels.length)]);
        for (var left = random.nextInt(3); left > 0; left--) {
            text.append('.').append(labels[random.nextInt(labels.length)]);
        }
        return random.nextInt(20) == 0 ? DomainName.ROOT : name(text.toString());
    }

    private static DomainName name(String text) {
        return DomainName.of(text).orElseThrow();
    }

    private static Message read(byte[] bytes) throws MalformedException {
        return MessageReader.read(ByteBuffer.wrap(bytes));
    }

    private static byte[] hex(String text) {
        return HexFormat.of().parseHex(text);
    }
}
