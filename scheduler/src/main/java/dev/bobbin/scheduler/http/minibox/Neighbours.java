package dev.bobbin.scheduler.http.minibox;

import dev.bobbin.runner.host.LastingSandbox;
import dev.bobbin.scheduler.dispatch.SandboxDirectory;
import dev.bobbin.scheduler.tenant.Caller;
import dev.bobbin.scheduler.tenant.Scope;
import dev.bobbin.scheduler.tenant.Tenant;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/// The `/etc/hosts` of the containers of a project, in which each of them has the names and addresses of all that run,
/// in whichever order they came. The name server of their network says the same.
final class Neighbours {
    private static final System.Logger LOG = System.getLogger(Neighbours.class.getName());
    private static final String HOSTS = "/etc/hosts";
    private static final String ITSELF = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
    private static final int READABLE = 0644;

    private static final int LOCKS = 64;

    private final SandboxDirectory sandboxes;
    private final List<ReentrantLock> locks =
            Stream.generate(ReentrantLock::new).limit(LOCKS).toList();

    Neighbours(SandboxDirectory sandboxes) {
        this.sandboxes = sandboxes;
    }

    /// Tells its project that a container began to run, or runs no more.
    void changed(LastingSandbox container) {
        var project = ContainerJson.project(container);
        if (project.isEmpty()) {
            return;
        }
        var owner = new Caller(new Tenant(container.tenant()), Set.of(Scope.READ));
        var lock = locks.get(
                Math.floorMod(List.of(container.tenant(), project.get()).hashCode(), LOCKS));
        lock.lock();
        try {
            var running = sandboxes.list(owner).stream()
                    .filter(Containers::isRunning)
                    .filter(each -> ContainerJson.project(each).equals(project))
                    .filter(each -> each.address().isPresent())
                    .toList();
            var lines = lines(running);
            running.forEach(each -> tell(each, lines));
        } finally {
            lock.unlock();
        }
    }

    private static String lines(List<LastingSandbox> running) {
        var lines = new StringBuilder(ITSELF);
        for (var each : running) {
            var address = each.address();
            if (address.isPresent()) {
                names(each)
                        .forEach(name -> lines.append(address.get().getHostAddress())
                                .append('\t')
                                .append(name)
                                .append('\n'));
            }
        }
        return lines.toString();
    }

    private static Set<String> names(LastingSandbox container) {
        var names = new LinkedHashSet<String>();
        ContainerJson.name(container).ifPresent(name -> {
            names.add(name);
            names.add(name.replace('_', '-'));
        });
        names.add(Containers.id(container));
        // one line has one name, and nothing that could be taken for a second line
        names.removeIf(name -> !name.matches("[A-Za-z0-9._-]+"));
        return names;
    }

    private static void tell(LastingSandbox container, String lines) {
        try {
            var content = new ByteArrayInputStream(lines.getBytes(StandardCharsets.UTF_8));
            container.files().write(HOSTS, READABLE, content);
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "sandbox " + container.id() + " is not told its neighbours", e);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
