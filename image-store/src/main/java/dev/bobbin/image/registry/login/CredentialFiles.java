package dev.bobbin.image.registry.login;

import com.fasterxml.jackson.databind.JsonNode;
import dev.bobbin.image.Credentials;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageProblem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The files in which `docker login` and `podman login` keep credentials, `config.json` and `auth.json`, and the helper
/// programs that they name. Read anew at each look-up, so a login counts at once.
public final class CredentialFiles {
    private static final int LONGEST = 1 << 20;
    private static final String DOCKER = "docker.io";
    private static final Set<String> DOCKERS = Set.of(DOCKER, "index.docker.io", "registry-1.docker.io");

    private final List<Path> files;
    private final CredentialProgram programs;

    /// @param files the first that knows a registry counts; one that is absent is passed over
    /// @param programs directories in which `docker-credential-…` programs are looked for
    public CredentialFiles(List<Path> files, List<Path> programs) {
        this.files = List.copyOf(files);
        this.programs = new CredentialProgram(programs);
    }

    /// What to show `registry` for `repository`.
    ///
    /// @param registry host with its port if that is named
    /// @throws ImageException INVALID if a file is damaged, or a program fails
    public Optional<Credentials> find(String registry, String repository) {
        for (var file : files) {
            var found = read(file).flatMap(root -> find(root, file, registry, repository));
            if (found.isPresent()) {
                return found;
            }
        }
        return Optional.empty();
    }

    private Optional<Credentials> find(JsonNode root, Path file, String registry, String repository) {
        var helpers = root.path("credHelpers");
        for (var name : spellings(registry)) {
            var helper = JsonText.text(helpers, name);
            if (helper.isPresent()) {
                return programs.ask(helper.get(), name);
            }
        }
        var entry = entry(root.path("auths"), registry, repository);
        if (entry != null) {
            var found = understood(entry, file);
            if (found.isPresent()) {
                return found;
            }
        }
        var store = JsonText.text(root, "credsStore");
        return store.flatMap(program -> spellings(registry).stream()
                .flatMap(name -> programs.ask(program, name).stream())
                .findFirst());
    }

    private static Optional<JsonNode> read(Path file) {
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        try (var in = Files.newInputStream(file)) {
            var bytes = in.readNBytes(LONGEST + 1);
            if (bytes.length > LONGEST) {
                throw ImageException.invalid("the credential file " + file + " is longer than any is");
            }
            return Optional.of(JsonText.object(bytes)
                    .orElseThrow(
                            () -> ImageException.invalid("the credential file " + file + " is not a JSON object")));
        } catch (IOException e) {
            throw new ImageException(ImageProblem.INVALID, "read the credential file " + file, e);
        }
    }

    /// The entry for the longest prefix of `registry/repository`, as podman has it; docker's keys may be URLs.
    private static @Nullable JsonNode entry(JsonNode auths, String registry, String repository) {
        for (var name : spellings(registry)) {
            for (var path = name + "/" + repository; ; path = path.substring(0, path.lastIndexOf('/'))) {
                for (var fields = auths.properties().iterator(); fields.hasNext(); ) {
                    var field = fields.next();
                    if (bare(field.getKey()).equals(path)) {
                        return field.getValue();
                    }
                }
                if (path.equals(name)) {
                    break;
                }
            }
        }
        return null;
    }

    private static List<String> spellings(String registry) {
        var all = new ArrayList<String>();
        if (DOCKERS.contains(registry)) {
            all.add("https://index.docker.io/v1/");
            all.addAll(List.of("index.docker.io", DOCKER, "registry-1.docker.io"));
        } else {
            all.add(registry);
        }
        return all;
    }

    /// A key without scheme, without `/v1/` or `/v2/`.
    private static String bare(String key) {
        if (key.equals("https://index.docker.io/v1/")) {
            return key;
        }
        var start = key.indexOf("://");
        var rest = start < 0 ? key : key.substring(start + 3);
        var end = rest.endsWith("/") ? rest.substring(0, rest.length() - 1) : rest;
        return end.endsWith("/v1") || end.endsWith("/v2") ? end.substring(0, end.length() - 3) : end;
    }

    private static Optional<Credentials> understood(JsonNode entry, Path file) {
        try {
            return credentials(entry);
        } catch (IllegalArgumentException e) {
            throw ImageException.invalid("the credential file " + file + " has an entry that is not user:password");
        }
    }

    private static Optional<Credentials> credentials(JsonNode entry) {
        var identity = JsonText.text(entry, "identitytoken");
        if (identity.isPresent()) {
            return Optional.of(new Credentials.IdentityToken(identity.get()));
        }
        var token = JsonText.text(entry, "registrytoken");
        if (token.isPresent()) {
            return Optional.of(new Credentials.RegistryToken(token.get()));
        }
        var user = JsonText.text(entry, "username");
        var password = JsonText.text(entry, "password");
        if (user.isPresent() && password.isPresent()) {
            return Optional.of(new Credentials.Password(user.get(), password.get()));
        }
        return JsonText.text(entry, "auth").map(CredentialFiles::decode);
    }

    private static Credentials decode(String auth) {
        var text = new String(Base64.getDecoder().decode(auth), StandardCharsets.UTF_8);
        var colon = text.indexOf(':');
        if (colon < 0) {
            throw new IllegalArgumentException("no colon");
        }
        return new Credentials.Password(
                text.substring(0, colon), text.substring(colon + 1).replaceAll("\\x00+$", ""));
    }
}
