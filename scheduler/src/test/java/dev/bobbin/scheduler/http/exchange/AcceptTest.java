package dev.bobbin.scheduler.http.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class AcceptTest {
    private static final List<String> OFFERED =
            List.of("application/json", "text/plain", "application/x-ndjson", "text/event-stream");

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "none",
            value = {
                "''                                        | application/json",
                "*/*                                       | application/json",
                "text/*                                    | text/plain",
                "TEXT/Plain; charset=utf-8                 | text/plain",
                "text/event-stream                         | text/event-stream",
                "text/html, */*;q=0.1                      | application/json",
                "application/json;q=0.5, text/plain        | text/plain",
                "text/plain;q=0.2, application/x-ndjson;q=0.3 | application/x-ndjson",
                "text/event-stream, application/json       | text/event-stream",
                "*/*, application/json;q=0                 | text/plain",
                "image/png                                 | none",
                "application/json;q=0                      | none",
                "application/json;q=abc                    | none",
                "nonsense                                  | none",
                "*/*;q=0                                   | none",
            })
    void choosesWhatIsWantedMost(String header, String chosen) {
        assertThat(Accept.choose(List.of(header), OFFERED).orElse(null)).isEqualTo(chosen);
    }
}
