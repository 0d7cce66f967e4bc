package dev.bobbin.scheduler.http.minibox;

import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.host.LastingSandbox;
import dev.bobbin.scheduler.dispatch.SandboxDirectory;
import dev.bobbin.scheduler.tenant.Caller;
import dev.bobbin.scheduler.tenant.Scope;
import dev.bobbin.scheduler.tenant.Tenant;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;

/// The `/etc/hosts` of the containers of a project, in which each of them has the names and addresses of all that run,
/// in whichever order they came. The name server of their network says the same.
final class Neighbours {
    private static final System.Logger LOG = System.getLogger(Neighbours.class.getName());
    private static final String HOSTS = "/etc/hosts";
    private static final String ITSELF = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
    private static final int READABLE = 0644;

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]+");

    /// What one write may take, whatever the container does.
    private static final Duration LONGEST = Duration.ofSeconds(5);
    /// How long whoever changed something waits until the others know.
    private static final Duration OTHERS = Duration.ofSeconds(1);

    private final SandboxDirectory sandboxes;
    private final Rewrites<SandboxId> rewrites = new Rewrites<>();

    Neighbours(SandboxDirectory sandboxes) {
        this.sandboxes = sandboxes;
    }

    /// Tells its project that a container began to run, or runs no more. It knows its neighbours when this
    /// returns; they know of it too, but for those that take long.
    void changed(LastingSandbox container) {
        var project = ContainerJson.project(container);
        if (project.isEmpty()) {
            return;
        }
        var own = CompletableFuture.allOf();
        var others = new ArrayList<CompletableFuture<Void>>();
        for (var each : running(container.tenant(), project.get())) {
            var told = rewrites.ask(each.id(), () -> tell(each, project.get()));
            if (each.id().equals(container.id())) {
                own = told;
            } else {
                others.add(told);
            }
        }
        await(own, LONGEST.plus(OTHERS));
        await(CompletableFuture.allOf(others.toArray(CompletableFuture<?>[]::new)), OTHERS);
    }

    private static void await(CompletableFuture<Void> told, Duration most) {
        try {
            told.get(most.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException _) {
            // it is told when it lets itself be told
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private List<LastingSandbox> running(String tenant, String project) {
        var owner = new Caller(new Tenant(tenant), Set.of(Scope.READ));
        return sandboxes.list(owner).stream()
                .filter(Containers::isRunning)
                .filter(each -> ContainerJson.project(each).equals(Optional.of(project)))
                .filter(each -> each.address().isPresent())
                .toList();
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
        names.removeIf(name -> !NAME.matcher(name).matches());
        return names;
    }

    /// Of what is so now, not when it was asked for.
    private void tell(LastingSandbox container, String project) {
        try {
            var lines = lines(running(container.tenant(), project));
            if (Containers.isRunning(container)) {
                var content = new ByteArrayInputStream(lines.getBytes(StandardCharsets.UTF_8));
                container.files().write(HOSTS, READABLE, content, LONGEST);
            }
        } catch (IOException | RuntimeException e) {
            LOG.log(Level.DEBUG, "sandbox " + container.id() + " is not told its neighbours", e);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
