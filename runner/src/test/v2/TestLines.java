import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/// Runs the tests named `Class` or `Class#method` and prints one line for each.
final class TestLines implements TestExecutionListener {
    private static final List<Path> TESTS = List.of(Path.of("target/test-classes"), Path.of("/bobbin/v2"));

    public static void main(String... names) throws Exception {
        var selectors = new ArrayList<DiscoverySelector>();
        for (var name : names) {
            var parts = name.split("#", 2);
            var type = find(parts[0]);
            selectors.add(parts.length == 1 ? selectClass(type) : selectMethod(type, parts[1]));
        }
        var request = LauncherDiscoveryRequestBuilder.request()
                .selectors(selectors)
                .configurationParameter("junit.jupiter.execution.timeout.mode", "disabled")
                .build();
        LauncherFactory.create().execute(request, new TestLines());
        System.exit(0);
    }

    private static String find(String simpleName) throws Exception {
        for (var tests : TESTS) {
            try (var files = Files.walk(tests)) {
                var file = files.filter(each -> each.endsWith(simpleName + ".class")).findFirst();
                if (file.isPresent()) {
                    return tests.relativize(file.get()).toString().replace(".class", "").replace('/', '.');
                }
            }
        }
        throw new IllegalArgumentException("there is no test " + simpleName);
    }

    @Override
    public void executionSkipped(TestIdentifier test, String reason) {
        System.out.println("FAIL " + name(test) + " was skipped: " + reason);
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        var thrown = result.getThrowable();
        if (thrown.isPresent()) {
            System.out.println("FAIL " + name(test) + ": " + firstLines(thrown.get()));
            thrown.get().printStackTrace(System.out);
        } else if (test.isTest()) {
            System.out.println("PASS " + name(test));
        }
    }

    private static String firstLines(Throwable thrown) {
        return String.valueOf(thrown).lines().map(String::strip).limit(8).reduce("", (all, line) -> all + " " + line);
    }

    private static String name(TestIdentifier test) {
        return test.getUniqueIdObject().getSegments().stream()
                .skip(1)
                .map(segment -> segment.getValue().replaceFirst(".*\\.", ""))
                .reduce((all, segment) -> all + "." + segment)
                .orElse("tests");
    }
}
