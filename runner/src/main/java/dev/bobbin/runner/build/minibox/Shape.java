package dev.bobbin.runner.build.minibox;

import dev.bobbin.runner.build.BuildPlan.Warning;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What a file says about the image besides its layers.
final class Shape {
    private static final String SEPARATOR = "\u001f";
    private static final String INTERVAL = "--interval=";
    private static final String USUAL_INTERVAL = "30";

    /// Variables of the file, of which the last of a name counts.
    final Map<String, String> environment = new LinkedHashMap<>();

    final Map<String, String> labels = new LinkedHashMap<>();
    final Set<String> ports = new LinkedHashSet<>();
    final Set<String> volumes = new LinkedHashSet<>();
    final List<Warning> warnings = new ArrayList<>();
    List<String> command = List.of();

    @Nullable
    String workdir;

    @Nullable
    String user;

    /// `K=V …`, or `K V`.
    void setVariables(Line line) {
        var words = line.words();
        if (words.isEmpty()) {
            warn(line, "ENV without a variable is passed over");
        } else if (words.getFirst().indexOf('=') < 0) {
            if (words.size() < 2) {
                warn(line, "ENV " + words.getFirst() + " has no value and is passed over");
                return;
            }
            environment.put(words.getFirst(), words.get(1));
            if (words.size() > 2) {
                warn(line, "ENV " + words.getFirst() + " keeps its first word only; there are no quotes");
            }
        } else {
            words.forEach(word -> setVariable(line, word));
        }
    }

    private void setVariable(Line line, String word) {
        var equals = word.indexOf('=');
        if (equals > 0) {
            environment.put(word.substring(0, equals), word.substring(equals + 1));
        } else {
            warn(line, "ENV: \"" + word + "\" is no NAME=value and is passed over; there are no quotes");
        }
    }

    /// `[--interval=N] argv…`; an interval that is no number of seconds counts as none.
    void setHealthcheck(Line line) {
        var words = line.words();
        var interval = USUAL_INTERVAL;
        if (!words.isEmpty() && words.getFirst().startsWith(INTERVAL)) {
            var text = words.getFirst().substring(INTERVAL.length());
            if (text.matches("0*[1-9][0-9]{0,8}")) {
                interval = String.valueOf(Integer.parseInt(text));
            } else {
                warn(line, "\"" + text + "\" is no number of seconds; the interval is " + USUAL_INTERVAL);
            }
            words = words.subList(1, words.size());
        }
        if (words.isEmpty()) {
            warn(line, "HEALTHCHECK without a command is passed over");
            return;
        }
        labels.put("mini.healthcheck.cmd", String.join(SEPARATOR, words));
        labels.put("mini.healthcheck.interval", interval);
    }

    void addPort(Line line) {
        for (var word : line.words()) {
            if (word.matches("[1-9][0-9]{0,4}(?:/(?:tcp|udp))?") && number(word) <= 65535) {
                ports.add(word.indexOf('/') < 0 ? word + "/tcp" : word);
            } else {
                warn(line, "\"" + word + "\" is no port and is passed over");
            }
        }
    }

    void warn(Line line, String text) {
        warnings.add(new Warning(line.number(), text));
    }

    private static int number(String port) {
        return Integer.parseInt(port.replaceAll("/.*", ""));
    }
}
