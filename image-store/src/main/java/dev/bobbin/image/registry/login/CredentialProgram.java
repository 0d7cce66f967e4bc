package dev.bobbin.image.registry.login;

import dev.bobbin.image.Credentials;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageProblem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;

/// The programs `docker-credential-NAME`, which keep credentials where files must not: asked by `get` with the registry
/// on standard input, answered in JSON. Bounded in time and in what they may say.
final class CredentialProgram {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]*");
    private static final int LONGEST = 64 << 10;
    private static final int SECONDS = 10;

    private final List<Path> directories;

    CredentialProgram(List<Path> directories) {
        this.directories = List.copyOf(directories);
    }

    Optional<Credentials> ask(String name, String registry) {
        if (!NAME.matcher(name).matches()) {
            throw ImageException.invalid("a credential file names a helper program by a name that is none");
        }
        var program = "docker-credential-" + name;
        var found = directories.stream()
                .map(directory -> directory.resolve(program))
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow(() -> new ImageException(
                        ImageProblem.UNAUTHORIZED,
                        program + ", which a credential file names for " + registry + ", is not installed"));
        try {
            return run(found, registry);
        } catch (IOException | IllegalArgumentException e) {
            throw new ImageException(ImageProblem.UNAUTHORIZED, "ask " + program + " about " + registry, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ImageException(ImageProblem.UNAUTHORIZED, "interrupted while asking " + program, e);
        }
    }

    private static Optional<Credentials> run(Path program, String registry) throws IOException, InterruptedException {
        var process = new ProcessBuilder(program.toString(), "get")
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            var answer = new FutureTask<>(() -> process.getInputStream().readNBytes(LONGEST + 1));
            Thread.ofPlatform().daemon().name("answer of a credential program").start(answer);
            try (var question = process.getOutputStream()) {
                question.write((registry + "\n").getBytes(StandardCharsets.UTF_8));
            } catch (IOException _) {
                // a program that does not read its question may answer all the same
            }
            var said = answer.get(SECONDS, TimeUnit.SECONDS);
            if (!process.waitFor(1, TimeUnit.SECONDS)) {
                throw new IOException("it does not end");
            }
            return read(said, process.exitValue());
        } catch (TimeoutException e) {
            throw new IOException("no answer within " + SECONDS + " s", e);
        } catch (ExecutionException e) {
            throw new IOException("its answer could not be read", e);
        } finally {
            end(process);
        }
    }

    /// Also what the program started: it may hold the pipe open.
    private static void end(Process process) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }

    private static Optional<Credentials> read(byte[] answer, int status) throws IOException {
        if (answer.length > LONGEST) {
            throw new IOException("its answer is too long");
        }
        if (status != 0) {
            var said = new String(answer, StandardCharsets.UTF_8);
            if (said.contains("credentials not found")) {
                return Optional.empty();
            }
            throw new IOException("it failed with status " + status);
        }
        var node = JsonText.object(answer).orElseThrow(() -> new IOException("its answer is not a JSON object"));
        var user = JsonText.text(node, "Username");
        var secret = JsonText.text(node, "Secret");
        if (user.isEmpty() || secret.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(
                user.get().equals("<token>")
                        ? new Credentials.IdentityToken(secret.get())
                        : new Credentials.Password(user.get(), secret.get()));
    }
}
