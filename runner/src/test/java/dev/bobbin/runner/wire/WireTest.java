package dev.bobbin.runner.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class WireTest {
    private static final Path HEADER = Path.of("src/main/c/frame.h");

    @Test
    void saysTheSameNumbersAsTheHeader() throws Exception {
        var ofHeader = defines("\\d+");
        var ofJava = Arrays.stream(Wire.class.getFields())
                .filter(field -> field.getType() == int.class)
                .collect(Collectors.toMap(Field::getName, WireTest::value));
        assertThat(new TreeMap<>(ofJava)).isEqualTo(ofHeader).hasSizeGreaterThan(60);
    }

    @Test
    void beginsJournalsWithTheSameMagic() throws Exception {
        var magic = defines("\"[^\"]*\"").get("JOURNAL_MAGIC");
        assertThat("\"" + Wire.JOURNAL_MAGIC.replace("\n", "\\n") + "\"").isEqualTo(magic);
    }

    @Test
    void givesEachTagAndEachTypeOneMeaning() throws Exception {
        for (var prefix : new String[] {"FIELD_", "FRAME_", "RECORD_", "REASON_", "STATE_"}) {
            var values = defines("\\d+").entrySet().stream()
                    .filter(define -> define.getKey().startsWith(prefix))
                    .filter(define -> !define.getKey().matches("\\w+_(HEADER|LONGEST)"))
                    .map(Map.Entry::getValue)
                    .toList();
            assertThat(values).as(prefix).doesNotHaveDuplicates();
        }
    }

    private static Map<String, String> defines(String value) throws Exception {
        var found = new TreeMap<String, String>();
        var matcher = Pattern.compile("(?m)^#define (\\w+) (" + value + ")").matcher(Files.readString(HEADER));
        while (matcher.find()) {
            found.put(matcher.group(1), matcher.group(2));
        }
        return found;
    }

    private static String value(Field field) {
        try {
            return String.valueOf(field.getInt(null));
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }
}
