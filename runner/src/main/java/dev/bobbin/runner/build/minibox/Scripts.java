package dev.bobbin.runner.build.minibox;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;

/// Shell scripts for what only the block's root can decide.
final class Scripts {
    private static final Map<String, String> AUTO_DEPS = autoDeps();

    private Scripts() {}

    /// Installs packages by apk or apt-get, whichever there is; `name@version` means any release of that version.
    static String install(Line line) {
        var packages = new ArrayList<String>();
        for (var word : line.words()) {
            if (word.startsWith("-") || word.indexOf('\'') >= 0) {
                throw line.refuse("\"" + word + "\" is no package name");
            }
            var at = word.indexOf('@');
            packages.add("'" + (at > 0 ? word.substring(0, at) + "=" + word.substring(at + 1) + "*" : word) + "'");
        }
        var names = String.join(" ", packages);
        return """
                if command -v apk >/dev/null 2>&1; then
                    apk add --no-cache %1$s
                elif command -v apt-get >/dev/null 2>&1; then
                    export DEBIAN_FRONTEND=noninteractive
                    apt-get update && apt-get install -y --no-install-recommends %1$s && rm -rf /var/lib/apt/lists/*
                else
                    echo '%2$s needs apk or apt-get in the base image' >&2
                    exit 1
                fi""".formatted(names, line.keyword());
    }

    /// Installs what a project in the working directory says that it depends on.
    static String installDependencies() {
        var script = new ArrayList<String>();
        AUTO_DEPS.forEach((file, command) -> script.add("""
                if [ -f %1$s ]; then
                    echo '   ---> auto-deps: detected %1$s → running %2$s'
                    %2$s || exit $?
                fi""".formatted(file, command)));
        return String.join("\n", script);
    }

    private static Map<String, String> autoDeps() {
        var all = new LinkedHashMap<String, String>();
        all.put("package.json", "npm install");
        all.put("requirements.txt", "pip install -r requirements.txt");
        all.put("go.mod", "go mod download");
        all.put("Cargo.toml", "cargo build");
        return all;
    }
}
