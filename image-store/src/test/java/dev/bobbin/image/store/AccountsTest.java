package dev.bobbin.image.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.image.Identity;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AccountsTest {
    @TempDir
    Path layer;

    @Test
    void findsUsersByNameAndNumber() throws Exception {
        var accounts = accounts("app:x:1000:1001:App:/home/app:/bin/sh\n", "app:x:1001:\nweb:x:33:app,other\n");
        var app = new Identity(1000, 1001, List.of(33), "/home/app");
        assertThat(accounts.identity("app")).contains(app);
        assertThat(accounts.identity("1000")).contains(app);
        assertThat(accounts.identity("app:web")).contains(new Identity(1000, 33, List.of(), "/home/app"));
        assertThat(accounts.identity("app:7")).contains(new Identity(1000, 7, List.of(), "/home/app"));
        assertThat(accounts.identity("4242")).contains(new Identity(4242, 0, List.of(), "/"));
    }

    @Test
    void knowsNobodyElse() throws Exception {
        var accounts = accounts("app:x:1000:1001::/home/app:/bin/sh\n", "");
        for (var nobody : List.of("ghost", "", ":", "app:none", "-1", "65536", "99999999999")) {
            assertThat(accounts.identity(nobody)).as(nobody).isEmpty();
        }
    }

    @Test
    void knowsRootEverywhere() throws Exception {
        assertThat(Accounts.read(List.of(layer)).identity("root")).contains(new Identity(0, 0, List.of(), "/"));
    }

    @Test
    void passesOverLinesThatMakeNoSense() throws Exception {
        var accounts = accounts("nonsense\n:::\napp:x:many:0:::\nweb:x:9:9::relative:\n", "x\n");
        assertThat(accounts.identity("app")).isEmpty();
        assertThat(accounts.identity("web")).contains(new Identity(9, 9, List.of(), "/"));
    }

    @Test
    void followsNoLinks() throws Exception {
        Files.createDirectories(layer.resolve("etc"));
        Files.writeString(layer.resolve("secret"), "app:x:1:1::/:\n");
        Files.createSymbolicLink(layer.resolve("etc/passwd"), layer.resolve("secret"));
        assertThat(Accounts.read(List.of(layer)).identity("app")).isEmpty();
    }

    @Test
    void readsTheTopmostLayerThatHasTheFile() throws Exception {
        var top = Files.createDirectories(layer.resolve("top"));
        var bottom = layer.resolve("bottom");
        Files.createDirectories(bottom.resolve("etc"));
        Files.writeString(bottom.resolve("etc/passwd"), "app:x:5:5::/:\n");
        assertThat(Accounts.read(List.of(top, bottom)).identity("app")).isPresent();
    }

    private Accounts accounts(String passwd, String group) throws Exception {
        Files.createDirectories(layer.resolve("etc"));
        Files.writeString(layer.resolve("etc/passwd"), passwd);
        Files.writeString(layer.resolve("etc/group"), group);
        return Accounts.read(List.of(layer));
    }
}
