package dev.bobbin.ops.config;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Reads a YAML file into settings by dotted key.
final class YamlFile {
    private YamlFile() {}

    static Map<String, List<String>> read(Path file) {
        JsonNode root;
        try {
            root = YAMLMapper.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build()
                    .readTree(Files.readString(file));
        } catch (JacksonException malformed) {
            var location = malformed.getLocation();
            throw new ConfigException("The configuration file " + file + " is not valid YAML"
                    + (location == null ? "" : " at line " + location.getLineNr()) + ": "
                    + malformed.getOriginalMessage().lines().findFirst().orElse("") + ".");
        } catch (IOException unreadable) {
            throw new ConfigException("The configuration file " + file + " cannot be read: "
                    + unreadable.getClass().getSimpleName() + ".");
        }
        var settings = new TreeMap<String, List<String>>();
        if (!root.isMissingNode() && !root.isNull()) {
            if (!root.isObject()) {
                throw new ConfigException("The configuration file " + file + " must hold keys and values.");
            }
            flatten("", root, settings);
        }
        return settings;
    }

    private static void flatten(String prefix, JsonNode object, Map<String, List<String>> settings) {
        for (var property : object.properties()) {
            var key = prefix + property.getKey();
            var value = property.getValue();
            if (value.isObject()) {
                flatten(key + ".", value, settings);
            } else if (value.isArray()) {
                var texts = new ArrayList<String>();
                value.forEach(element -> texts.add(scalar(key, element)));
                settings.put(key, texts);
            } else {
                settings.put(key, List.of(scalar(key, value)));
            }
        }
    }

    private static String scalar(String key, JsonNode value) {
        if (!value.isValueNode() || value.isNull()) {
            throw new ConfigException(key + ": must be a value or a list of values.");
        }
        return value.asText();
    }
}
