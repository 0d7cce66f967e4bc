package dev.bobbin.scheduler.http.minibox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.scheduler.http.RawClient;
import dev.bobbin.scheduler.http.TestServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Exchanges as they are to be, in a file that people can read. Lines of a request begin with `>`, those of its answer
/// with `<`, the last line of an answer that ends without a line's end with `<|`, and all others are remarks. Of the
/// headers of an answer only those that the file names are looked at, and one that all answers have; of an answer
/// without
/// an empty line only the head.
///
/// `{id:NAME}` stands for an id, which `{NAME}` means from then on; `{number}`, `{hex}` and `{time}` for what they say.
final class Transcript {
    private static final Map<String, String> ANY = Map.of(
            "number",
            "-?[0-9]+(?:\\.[0-9E+-]+)?",
            "hex",
            "[0-9a-f]{12}",
            "time",
            "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z",
            "took",
            "(?:[0-9]+m)?[0-9.]+m?s",
            "address",
            "[0-9.]{7,15}",
            "why",
            ".+",
            "date",
            "[A-Z][a-z]{2}, [0-9]{1,2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT");
    private static final Pattern VARIABLE = Pattern.compile("\\{(id:)?([a-z_]+)}");

    private final String file;
    private final Map<String, String> known = new HashMap<>();

    Transcript(String file) {
        this.file = file;
    }

    Transcript with(String name, String value) {
        known.put(name, value);
        return this;
    }

    private record Exchange(List<String> request, List<String> answer, boolean endsInLine) {}

    /// Says every request of the file to the server, each on a connection of its own, and compares the answers.
    void replay(TestServer server) throws IOException {
        for (var exchange : exchanges()) {
            try (var client = server.client()) {
                var request = request(exchange.request());
                client.send(request);
                compare(exchange, request, client);
            }
        }
    }

    private List<Exchange> exchanges() {
        var exchanges = new ArrayList<Exchange>();
        var request = new ArrayList<String>();
        var answer = new ArrayList<String>();
        var endsInLine = true;
        for (var line : lines()) {
            if (line.startsWith(">")) {
                if (!answer.isEmpty()) {
                    exchanges.add(new Exchange(List.copyOf(request), List.copyOf(answer), endsInLine));
                    request.clear();
                    answer.clear();
                    endsInLine = true;
                }
                request.add(rest(line, 1));
            } else if (line.startsWith("<|")) {
                answer.add(rest(line, 2));
                endsInLine = false;
            } else if (line.startsWith("<")) {
                answer.add(rest(line, 1));
            }
        }
        exchanges.add(new Exchange(request, answer, endsInLine));
        return exchanges;
    }

    private static String rest(String line, int from) {
        return line.length() > from && line.charAt(from) == ' ' ? line.substring(from + 1) : line.substring(from);
    }

    private List<String> lines() {
        try (var in = Objects.requireNonNull(Transcript.class.getResourceAsStream(file), file)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        } catch (IOException e) {
            throw new UncheckedIOException("read " + file, e);
        }
    }

    private String request(List<String> lines) {
        var empty = lines.indexOf("");
        var head = new ArrayList<>(empty < 0 ? lines : lines.subList(0, empty));
        var body = empty < 0 ? "" : String.join("\n", lines.subList(empty + 1, lines.size()));
        var method = head.removeFirst().split(" ", 2);
        var filled = VARIABLE.matcher(body).replaceAll(found -> Matcher.quoteReplacement(value(found.group(2))));
        var path = VARIABLE.matcher(method[1]).replaceAll(found -> Matcher.quoteReplacement(value(found.group(2))));
        var headers = head.toArray(String[]::new);
        return method[0].equals("POST")
                ? TestServer.request(path, filled, headers)
                : TestServer.head(method[0], path, headers) + "\r\n";
    }

    private String value(String name) {
        return Objects.requireNonNull(known.get(name), name);
    }

    private void compare(Exchange exchange, String request, RawClient client) throws IOException {
        var asked = file + ": " + request.lines().findFirst().orElseThrow();
        var expected = new ArrayList<>(exchange.answer());
        assertThat(client.line()).as(asked).isEqualTo(expected.removeFirst());
        var headers = client.headers();
        while (!expected.isEmpty() && !expected.getFirst().isEmpty()) {
            var header = expected.removeFirst().split(": ", 2);
            match(asked, header[1], headers.getOrDefault(header[0].toLowerCase(java.util.Locale.ROOT), "(none)"));
        }
        assertThat(headers).as(asked).containsEntry("x-content-type-options", "nosniff");
        if (!expected.isEmpty()) {
            expected.removeFirst();
            match(
                    asked,
                    String.join("\n", expected) + (exchange.endsInLine() ? "\n" : ""),
                    client.body(headers).text());
        }
    }

    private void match(String asked, String expected, String seen) {
        var pattern = new StringBuilder();
        var names = new ArrayList<String>();
        var from = 0;
        for (var variable = VARIABLE.matcher(expected); variable.find(); from = variable.end()) {
            pattern.append(Pattern.quote(expected.substring(from, variable.start())));
            var name = variable.group(2);
            if (variable.group(1) != null) {
                pattern.append("([a-f0-9]{8})");
                names.add(name);
            } else {
                pattern.append(ANY.containsKey(name) ? ANY.get(name) : Pattern.quote(value(name)));
            }
        }
        pattern.append(Pattern.quote(expected.substring(from)));
        var found = Pattern.compile(pattern.toString()).matcher(seen);
        assertThat(found.matches())
                .as("%s%nexpected: %s%nseen: %s", asked, expected, seen)
                .isTrue();
        for (var index = 0; index < names.size(); index++) {
            known.put(names.get(index), found.group(index + 1));
        }
    }
}
