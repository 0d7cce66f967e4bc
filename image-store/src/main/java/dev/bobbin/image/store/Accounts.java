package dev.bobbin.image.store;

import dev.bobbin.image.Identity;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The users and groups of an image, read from the `etc/passwd` and `etc/group` of its topmost layer that has them.
/// The files come from strangers: links are not followed, sizes are bounded, and a line that is not understood is no
/// user. What is no file, as a whiteout, hides the ones below. `root` is user 0 also in an image that names nobody.
final class Accounts {
    private static final int LONGEST_FILE = 1024 * 1024;

    private final List<User> users;
    private final List<Group> groups;

    private Accounts(List<User> users, List<Group> groups) {
        this.users = users;
        this.groups = groups;
    }

    /// The accounts of a stack of layers, topmost first.
    static Accounts read(List<Path> layers) throws IOException {
        var users = new ArrayList<User>();
        for (var fields : lines(layers, "passwd", 7)) {
            number(fields[2])
                    .ifPresent(uid ->
                            number(fields[3]).ifPresent(gid -> users.add(new User(fields[0], uid, gid, fields[5]))));
        }
        var groups = new ArrayList<Group>();
        for (var fields : lines(layers, "group", 4)) {
            number(fields[2]).ifPresent(gid -> groups.add(new Group(fields[0], gid, List.of(fields[3].split(",")))));
        }
        return new Accounts(users, groups);
    }

    /// Who `spec` is: `name`, `uid`, `name:group` or `uid:gid`; nothing if the image knows no such name.
    Optional<Identity> identity(String spec) {
        var colon = spec.indexOf(':');
        var userPart = colon < 0 ? spec : spec.substring(0, colon);
        var user = users.stream()
                .filter(known -> known.name.equals(userPart))
                .findFirst()
                .or(() -> number(userPart)
                        .map(uid -> users.stream()
                                .filter(known -> known.uid == uid)
                                .findFirst()
                                .orElse(new User("", uid, 0, "/"))));
        if (user.isEmpty() && userPart.equals("root")) {
            user = Optional.of(new User("", 0, 0, "/"));
        }
        if (user.isEmpty()) {
            return Optional.empty();
        }
        var named = user.get();
        if (colon < 0) {
            return Optional.of(new Identity(named.uid, named.gid, supplementary(named), home(named)));
        }
        var groupPart = spec.substring(colon + 1);
        return groups.stream()
                .filter(known -> known.name.equals(groupPart))
                .map(Group::gid)
                .findFirst()
                .or(() -> number(groupPart))
                .map(gid -> new Identity(named.uid, gid, List.of(), home(named)));
    }

    private List<Integer> supplementary(User user) {
        return groups.stream()
                .filter(group -> !user.name.isEmpty() && group.members.contains(user.name))
                .filter(group -> group.gid != user.gid)
                .map(Group::gid)
                .toList();
    }

    private static String home(User user) {
        return user.home.startsWith("/") ? user.home : "/";
    }

    private static List<String[]> lines(List<Path> layers, String file, int fields) throws IOException {
        for (var layer : layers) {
            var etc = layer.resolve("etc");
            var path = etc.resolve(file);
            if (!Files.isDirectory(etc, LinkOption.NOFOLLOW_LINKS)) {
                if (Files.exists(etc, LinkOption.NOFOLLOW_LINKS)) {
                    break;
                }
                continue;
            }
            if (!Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
                if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
                    break;
                }
                continue;
            }
            try (var in = Files.newInputStream(path, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
                var text = new String(in.readNBytes(LONGEST_FILE), StandardCharsets.UTF_8);
                return text.lines()
                        .map(line -> line.split(":", -1))
                        .filter(parts -> parts.length >= fields)
                        .toList();
            }
        }
        return List.of();
    }

    private static Optional<Integer> number(String text) {
        if (text.isEmpty() || text.length() > 5 || !text.chars().allMatch(c -> c >= '0' && c <= '9')) {
            return Optional.empty();
        }
        var number = Integer.parseInt(text);
        return number < Identity.IDS ? Optional.of(number) : Optional.empty();
    }

    private record User(String name, int uid, int gid, String home) {}

    private record Group(String name, int gid, List<String> members) {}
}
