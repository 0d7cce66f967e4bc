package dev.bobbin.scheduler.http.v1;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.Cidr;
import dev.bobbin.runner.net.NetworkConfig;
import dev.bobbin.runner.net.dns.Dnsmasq;
import dev.bobbin.runner.net.dns.FakeInternet;
import dev.bobbin.scheduler.http.RawClient;
import dev.bobbin.scheduler.http.TestServer;
import dev.bobbin.scheduler.tenant.Callers;
import dev.bobbin.scheduler.tenant.Scope;
import dev.bobbin.scheduler.tenant.Tenant;
import dev.bobbin.scheduler.tenant.Token;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Networks of runs and sandboxes against a real host, with an internet of two machines beside it.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(90)
final class NetworksIT {
    private static final String BLUE = "Authorization: Bearer blue-secret";
    private static final String RED = "Authorization: Bearer red-secret";
    private static final String ADMIN = "Authorization: Bearer admin-secret";
    private static final Pattern ADDRESS = Pattern.compile("\"address\":\"([0-9.]+)\"");
    private static final Pattern HOST_PORT = Pattern.compile("\"host_port\":([0-9]+)");
    private static final Pattern ID = Pattern.compile("\"id\":\"([^\"]+)\"");

    private static final String PAGE = "\"command\":[\"busybox\",\"httpd\",\"-f\",\"-p\",\"80\",\"-h\",\"/w\"],"
            + "\"workdir\":\"/w\",\"files\":{\"index.html\":\"from %s\\n\"},";

    private FakeInternet internet = unset();
    private Dnsmasq names = unset();
    private TestServer server = unset();

    @SuppressWarnings({"NullAway", "TypeParameterUnusedInFormals"}) // set before any test
    private static <T> T unset() {
        return null;
    }

    @BeforeAll
    void open(@TempDir Path directory) throws Exception {
        internet = FakeInternet.open(Files.createDirectory(directory.resolve("web")));
        names = Dnsmasq.start(
                directory,
                List.of(
                        internet.one().getHostAddress() + " shop.example.org",
                        internet.other().getHostAddress() + " deep.sub.example.org",
                        "10.9.9.9 inside.example.org",
                        "127.0.0.1 here.example.org"),
                "--cname=www.example.org,shop.example.org");
        var work = Set.of(Scope.READ, Scope.RUN);
        var callers = new Callers(List.of(
                Token.of("blue", "blue-secret", new Tenant("blue"), work),
                Token.of("red", "red-secret", new Tenant("red"), work),
                Token.of("admin", "admin-secret", new Tenant("house"), Set.of(Scope.ADMIN))));
        server = TestServer.open(
                callers, new NetworkConfig(false, Cidr.of("10.128.0.0/10"), List.of(), List.of(names.address())));
    }

    @AfterEach
    void removeAll() throws IOException {
        for (var token : List.of(BLUE, RED, ADMIN)) {
            for (var match : ID.matcher(server.get("/v1/sandboxes", token).text())
                    .results()
                    .toList()) {
                server.delete("/v1/sandboxes/" + match.group(1), token);
            }
        }
    }

    @AfterAll
    void close() throws IOException {
        server.close();
        names.close();
        internet.close();
    }

    private String created(String body, String token) throws IOException {
        var answer = server.post("/v1/sandboxes", body, token);
        assertThat(answer.status()).as(answer.text()).isEqualTo(201);
        return answer.text();
    }

    private RawClient.Answer run(String network, String script, String token) throws IOException {
        return server.post(
                "/v1/run", "{\"command\":[\"sh\",\"-c\",\"%s\"],\"network\":%s}".formatted(script, network), token);
    }

    private static String fetch(Object where) {
        return "curl -sS -m 5 --retry 40 --retry-connrefused --retry-delay 1 --retry-max-time 8 http://" + where + "/";
    }

    /// Tries once.
    private static String reach(Object where) {
        return "curl -sS -m 3 http://" + where + "/";
    }

    private static String found(Pattern pattern, String text) {
        var match = pattern.matcher(text);
        assertThat(match.find()).as(text).isTrue();
        return match.group(1);
    }

    @Test
    void aServerIsFoundByNameInItsProjectAndByNobodyElse() throws IOException {
        var made = created(
                "{\"name\":\"web\"," + PAGE.formatted("web")
                        + "\"network\":{\"mode\":\"bridge\",\"project\":\"shop\",\"aliases\":[\"www\"]}}",
                BLUE);
        assertThat(made)
                .contains("\"network\":{\"mode\":\"bridge\",\"address\":\"10.", "\"gateway\":\"10.")
                .contains("\"project\":\"shop\",\"aliases\":[\"www\"]", "\"ports\":[]")
                .contains("\"egress\":{\"internet\":true,\"allow\":[],\"names\":[]}");
        var address = found(ADDRESS, made);
        for (var name : List.of("web", "www", "web.shop", address)) {
            assertThat(run("{\"project\":\"shop\"}", fetch(name), BLUE).text()).contains("\"stdout\":\"from web\\n\"");
        }
        var strangers = List.of(
                run("{\"project\":\"bank\"}", reach("web"), BLUE),
                run("{\"project\":\"shop\"}", reach("web"), RED),
                run("\"bridge\"", reach("web.shop"), BLUE));
        assertThat(strangers).allSatisfy(each -> assertThat(each.text()).contains("\"exit_code\":6"));
        var guessers = List.of(
                run("{\"project\":\"bank\"}", reach(address), BLUE),
                run("{\"project\":\"shop\"}", reach(address), RED),
                run("\"bridge\"", reach(address), BLUE));
        assertThat(guessers)
                .allSatisfy(each -> assertThat(each.text())
                        .containsPattern("\"exit_code\":(7|28)")
                        .doesNotContain("from web"));
    }

    @Test
    void aPublishedPortLetsThisMachineInUntilTheSandboxIsGone() throws Exception {
        var made = created(
                "{\"name\":\"web\"," + PAGE.formatted("port") + "\"network\":\"bridge\",\"ports\":[{\"port\":80}]}",
                BLUE);
        assertThat(made).contains("\"ports\":[{\"port\":80,\"protocol\":\"tcp\",\"host_address\":\"127.0.0.1\",");
        var port = Integer.parseInt(found(HOST_PORT, made));
        assertThat(port).isPositive();
        assertThat(get(port)).isEqualTo("from port\n");

        var taken = server.post(
                "/v1/sandboxes",
                "{\"network\":\"bridge\",\"ports\":[{\"port\":1},{\"port\":80,\"host_port\":" + port + "}]}",
                RED);
        assertThat(taken.status()).as(taken.text()).isEqualTo(409);
        assertThat(taken.text()).contains("\"code\":\"port_in_use\"", "\"field\":\"ports[1]");
        assertThat(server.get("/v1/sandboxes", RED).text()).contains("\"items\":[]");

        assertThat(server.delete("/v1/sandboxes/web", BLUE).status()).isEqualTo(204);
        try (var free = new ServerSocket(port)) {
            assertThat(free.isBound()).isTrue();
        }
    }

    private static String get(int port) throws Exception {
        try (var client = HttpClient.newHttpClient()) {
            var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/"))
                    .timeout(Duration.ofSeconds(5))
                    .build();
            for (var left = 100; ; left--) {
                try {
                    return client.send(request, BodyHandlers.ofString()).body();
                } catch (IOException notYet) {
                    if (left == 0) {
                        throw notYet;
                    }
                    TimeUnit.MILLISECONDS.sleep(50);
                }
            }
        }
    }

    @Test
    void aPortThatSomebodyHasIsNotPublishedUntilItIsFree() throws Exception {
        String body;
        try (var taken = new ServerSocket(0)) {
            body = "{\"command\":[\"true\"],\"network\":\"bridge\",\"ports\":[{\"port\":80,\"host_port\":%d}]}"
                    .formatted(taken.getLocalPort());
            var answer = server.post("/v1/run", body, BLUE);
            assertThat(answer.status()).as(answer.text()).isEqualTo(409);
            assertThat(answer.text()).contains("\"code\":\"port_in_use\"", "\"field\":\"ports[0]");
        }
        assertThat(server.post("/v1/run", body, BLUE).text()).contains("\"exit_code\":0");
    }

    @Test
    void aRunReachesTheInternetByItsBridgeAndNotWithoutOne() throws IOException {
        assertThat(run("\"bridge\"", reach(internet.one().getHostAddress()), BLUE)
                        .text())
                .contains("\"stdout\":\"the internet\\n\"");
        assertThat(run("\"bridge\"", reach("www.example.org"), BLUE).text()).contains("the internet");
        assertThat(run("\"none\"", reach(internet.one().getHostAddress()), BLUE).text())
                .contains("\"exit_code\":7");
    }

    @Test
    void namesThatLeadInsideAreNamesOfNothing() throws IOException {
        for (var name : List.of("inside.example.org", "here.example.org")) {
            assertThat(run("\"bridge\"", reach(name), BLUE).text()).contains("\"exit_code\":6");
        }
        var loopback = "127.0.0.1:" + server.http.port();
        assertThat(run("\"bridge\"", reach(loopback), BLUE).text()).contains("\"exit_code\":7");
    }

    @Test
    void egressByNameOpensWhatTheNamesLeadToAndNothingElse() throws IOException {
        var one = internet.one().getHostAddress();
        var egress = "{\"egress\":{\"internet\":false,\"names\":[\"www.example.org\",\"*.sub.example.org\"]}}";
        assertThat(run(egress, reach(one), BLUE).text()).containsPattern("\"exit_code\":(7|28)");
        assertThat(run(egress, reach("shop.example.org"), BLUE).text()).contains("\"exit_code\":6");
        assertThat(run(egress, reach("www.example.org") + " && " + reach(one), BLUE)
                        .text())
                .contains("\"stdout\":\"the internet\\nthe internet\\n\"");
        assertThat(run(egress, reach("deep.sub.example.org"), BLUE).text()).contains("the internet");
        // what was opened for one is not for the next
        assertThat(run(egress, reach(one), BLUE).text()).containsPattern("\"exit_code\":(7|28)");
    }

    @Test
    void egressByRangeOpensThatAndNoNames() throws IOException {
        var egress = "{\"egress\":{\"internet\":false,\"allow\":[\"%s\"]}}"
                .formatted(internet.one().getHostAddress());
        assertThat(run(egress, reach(internet.one().getHostAddress()), BLUE).text())
                .contains("the internet");
        assertThat(run(egress, reach(internet.other().getHostAddress()), BLUE).text())
                .containsPattern("\"exit_code\":(7|28)");
        assertThat(run(egress, reach("www.example.org"), BLUE).text()).contains("\"exit_code\":6");
    }

    @Test
    void whatTheConfigurationDoesNotAllowIsForbiddenByTheNameOfItsSetting() throws IOException {
        var host = run("\"host\"", "true", ADMIN);
        assertThat(host.status()).isEqualTo(403);
        assertThat(host.text()).contains("\"field\":\"network\"", "host.network.host");
        var range = run("{\"egress\":{\"allow\":[\"10.1.0.0/16\"]}}", "true", ADMIN);
        assertThat(range.status()).isEqualTo(403);
        assertThat(range.text()).contains("\"field\":\"network.egress.allow", "host.network.allowed");

        var open = "{\"network\":\"bridge\",\"ports\":[{\"port\":80,\"host_address\":\"0.0.0.0\"}]}";
        var everywhere = server.post("/v1/sandboxes", open, BLUE);
        assertThat(everywhere.status()).isEqualTo(403);
        assertThat(everywhere.text()).contains("\"field\":\"ports[0].host_address\"", "publish.addresses");
        var low = server.post(
                "/v1/sandboxes", "{\"network\":\"bridge\",\"ports\":[{\"port\":80,\"host_port\":81}]}", BLUE);
        assertThat(low.status()).isEqualTo(403);
        assertThat(low.text()).contains("\"field\":\"ports[0].host_port\"", "publish.low-ports");
        assertThat(created(open, ADMIN)).contains("\"host_address\":\"0.0.0.0\"");
    }
}
