package dev.bobbin.ops.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/// What is mounted in a sandbox, in the two ways in which docker's users say it.
final class MountOptions {
    @Option(
            names = {"-v", "--volume"},
            paramLabel = "NAME:PATH[:ro]",
            converter = Brief.class,
            description =
                    "Mounts a volume, which is made if there is none; or what is at a path of the server's machine.")
    private List<Map<String, Object>> brief = List.of();

    @Option(
            names = "--mount",
            paramLabel = "type=TYPE,source=NAME,target=PATH[,readonly]",
            converter = Full.class,
            description = "The same for the types volume, bind and tmpfs; a tmpfs may have a size=SIZE.")
    private List<Map<String, Object>> full = List.of();

    /// As the API takes them.
    List<Map<String, Object>> all() {
        var all = new ArrayList<>(brief);
        all.addAll(full);
        return all;
    }

    /// Whether one of them is a volume.
    boolean haveVolumes() {
        return all().stream().anyMatch(mount -> "volume".equals(mount.get("type")));
    }

    static final class Brief implements ITypeConverter<Map<String, Object>> {
        @Override
        public Map<String, Object> convert(String text) {
            var parts = List.of(text.split(":", -1));
            if (parts.size() < 2
                    || parts.size() > 3
                    || (parts.size() == 3 && !parts.get(2).matches("ro|rw"))) {
                throw new TypeConversionException("\"" + text + "\" is not NAME:PATH or NAME:PATH:ro");
            }
            var source = parts.getFirst();
            var isPath = source.startsWith("/") || source.startsWith(".");
            var mount = new LinkedHashMap<String, Object>();
            mount.put("type", isPath ? "bind" : "volume");
            mount.put("source", isPath ? absolute(source) : source);
            mount.put("target", parts.get(1));
            if (parts.getLast().equals("ro")) {
                mount.put("read_only", true);
            }
            return mount;
        }
    }

    static final class Full implements ITypeConverter<Map<String, Object>> {
        @Override
        public Map<String, Object> convert(String text) {
            var mount = new LinkedHashMap<String, Object>();
            for (var part : text.split(",", -1)) {
                var equals = part.indexOf('=');
                var name = name(equals < 0 ? part : part.substring(0, equals), text);
                var value = equals < 0 ? "" : part.substring(equals + 1);
                if (name.equals("read_only") && !value.matches("|true|false")) {
                    throw new TypeConversionException("readonly is true or false, not \"" + value + "\"");
                }
                mount.put(name, value(name, value));
            }
            mount.putIfAbsent("type", "volume");
            if ("bind".equals(mount.get("type")) && mount.get("source") instanceof String source) {
                mount.put("source", absolute(source));
            }
            return mount;
        }

        private static Object value(String name, String text) {
            return switch (name) {
                case "read_only" -> !text.equals("false");
                // without a unit it is a number in the API
                case "size" -> text.matches("[0-9]{1,18}") ? Long.valueOf(text) : text;
                default -> text;
            };
        }

        private static String name(String word, String text) {
            return switch (word) {
                case "type" -> "type";
                case "source", "src" -> "source";
                case "target", "dst", "destination" -> "target";
                case "readonly", "ro" -> "read_only";
                case "size", "tmpfs-size" -> "size";
                default ->
                    throw new TypeConversionException("\"" + text
                            + "\" has something else than type, source, target, readonly and size: " + word);
            };
        }
    }

    private static String absolute(String source) {
        return Path.of(source).toAbsolutePath().normalize().toString();
    }
}
