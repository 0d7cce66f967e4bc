package dev.bobbin.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// `bobbin build` as a person types it, in a terminal and without one.
@Timeout(120)
final class BuildCommandIT extends TypedCommands {
    private String address = "";

    @BeforeEach
    void serveFiles() throws Exception {
        Files.createDirectories(directory.resolve("files"));
        Files.copy(Path.of("/bin/busybox"), directory.resolve("files/busybox"));
        var server = start(command("serve", "--listen", "127.0.0.1:0", "--pool", "2"));
        var says = server.errorReader(StandardCharsets.UTF_8);
        while (address.isEmpty()) {
            var line = says.readLine();
            assertThat(line).as("the server ended").isNotNull();
            var at = line.indexOf("http://127.0.0.1:");
            address = at < 0 ? "" : line.substring(at).split("[ ,]", 2)[0];
        }
    }

    private String recipe(String... steps) throws Exception {
        Files.writeString(
                directory.resolve("files/Dockerfile"),
                "FROM scratch\nCOPY busybox /bin/sh\n" + String.join("\n", steps) + "\n");
        return directory.resolve("files").toString();
    }

    /// The same command in a window of its own.
    private Process window(String variables, String line) throws Exception {
        var script = "stty rows 30 columns 90; " + variables + " " + line + "; echo \"[code $?]\"";
        return start(List.of("script", "-qfec", "bash -c '" + script + "'", "/dev/null"));
    }

    private static String shown(Process window) throws Exception {
        window.getOutputStream().close();
        return new String(window.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    @Test
    void printsLinesWhereNobodyLooks() throws Exception {
        var files = recipe("RUN echo said", "ENTRYPOINT [\"/bin/sh\", \"-c\", \"echo ran\"]");
        var built = bobbin("build", "-t", "lines", "--network", "none", files);
        assertThat(built.code()).as(built.err()).isZero();
        assertThat(built.out())
                .contains("] RUN echo said\n", "] said\n", "] DONE (", "\nlines sha256:")
                .doesNotContain("\033");
        assertThat(bobbin("run", "--image", "lines").out()).isEqualTo("ran\n");
    }

    @Test
    void drawsOnATerminal() throws Exception {
        var files = recipe("RUN echo drawn");
        var line = line("build", "-t", "drawn", "--no-cache", "--network", "none", files);
        var coloured = shown(window("", "TERM=xterm " + line));
        assertThat(coloured)
                .contains("building drawn, ", "\033[32m  DONE      \033[0m", "RUN echo drawn", "[code 0]")
                .containsPattern("2 steps done, 0 cached, in [0-9.]+m?s\r\ndrawn sha256:");
        assertThat(shown(window("NO_COLOR=1 TERM=xterm", line)))
                .contains("  DONE ", "[code 0]", "\033[K")
                .doesNotContain("\033[32m");
        assertThat(shown(window("TERM=xterm", line + " --progress plain")))
                .contains("] RUN echo drawn\r\n", "[code 0]")
                .doesNotContain("\033");
        assertThat(shown(window("TERM=dumb", line))).doesNotContain("\033");
    }

    @Test
    void endsWithWhatFailed() throws Exception {
        var files = recipe("RUN seq 1 5000; printf '\\033[2J\\033[35mlast\\n'; exit 7");
        var failed = shown(window("TERM=xterm", line("build", "--network", "none", files)));
        assertThat(failed)
                .contains("FAILED", "printed:", "\r\n1\r\n2\r\n", "\r\n4999\r\n5000\r\n", "Dockerfile:3: ", "[code 7]")
                .contains("\r\n\033[35mlast\033[0m\r\n")
                .doesNotContain("\033[2J");
        var wrong = bobbin("build", recipe("FLY away"));
        assertThat(wrong.code()).isEqualTo(1);
        assertThat(wrong.err()).startsWith("bobbin: Dockerfile:3: ");
        assertThat(bobbin("build", "--progress", "loud", files).code()).isEqualTo(2);
    }

    @Test
    void controlCCancels() throws Exception {
        var files = recipe("RUN echo begun; sleep 300");
        var window = window("TERM=xterm", line("build", "--network", "none", files));
        var screen = window.inputReader(StandardCharsets.UTF_8);
        var seen = new StringBuilder();
        while (seen.indexOf("            begun") < 0) {
            var each = screen.read();
            assertThat(each).as(seen.toString()).isNotNegative();
            seen.append((char) each);
        }
        window.getOutputStream().write(3);
        window.getOutputStream().flush();
        for (var each = screen.read(); each >= 0; each = screen.read()) {
            seen.append((char) each);
        }
        assertThat(seen).contains("bobbin: cancelled", "[code 130]");
        try (var client = HttpClient.newHttpClient()) {
            var jobs = client.send(
                            HttpRequest.newBuilder(URI.create(address + "/v1/jobs"))
                                    .build(),
                            BodyHandlers.ofString())
                    .body();
            var id = jobs.substring(jobs.indexOf("\"id\":\"") + 6).split("\"", 2)[0];
            var job = client.send(
                    HttpRequest.newBuilder(URI.create(address + "/v1/jobs/" + id + "?wait=30s"))
                            .build(),
                    BodyHandlers.ofString());
            assertThat(job.body()).contains("\"kind\":\"build\"", "\"cause\":\"cancelled\"", "\"by\":\"client\"");
        }
    }
}
