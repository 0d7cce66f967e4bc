package dev.bobbin.ops;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Keeps the walls, and shows of each that it would notice a hole.
final class ArchitectureTest {
    /// What a module gives the tests of others.
    private static final String TEST_JAR = "-tests.jar";

    private static final JavaClasses PROGRAM = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .withImportOption(location -> !location.contains(TEST_JAR))
            .importPackages("dev.bobbin");

    /// The program with classes among it that break the rules on purpose.
    private static final JavaClasses WITH_PLANTED = new ClassFileImporter()
            .withImportOption(location -> !location.contains(TEST_JAR))
            .withImportOption(location -> !location.matches(java.util.regex.Pattern.compile(".*/test-classes/.*"))
                    || location.contains("/Planted"))
            .importPackages("dev.bobbin");

    static Stream<String> names() {
        return Walls.all().keySet().stream();
    }

    @ParameterizedTest
    @MethodSource("names")
    void holds(String wall) {
        rule(wall).allowEmptyShould(true).check(PROGRAM);
    }

    @ParameterizedTest
    @MethodSource("names")
    void noticesPlantedViolation(String wall) {
        var found = rule(wall).allowEmptyShould(true).evaluate(WITH_PLANTED).getFailureReport();

        assertThat(found.getDetails()).anyMatch(detail -> detail.contains("Planted"));
    }

    @Test
    void everyModuleIsLookedAt() {
        assertThat(PROGRAM.stream().map(item -> item.getPackageName().split("\\.", -1)[2]))
                .containsAll(Set.of("image", "runner", "scheduler", "ops"));
    }

    @Test
    void theTopOfTheTreeHasTheModulesAndNothingElse() throws IOException {
        try (var entries = Files.list(Path.of("..").toRealPath())) {
            assertThat(entries.map(entry -> entry.getFileName().toString())
                            .filter(name -> !name.startsWith(".") && !name.equals("target")))
                    .containsExactlyInAnyOrder(
                            "pom.xml", "README.md", "image-store", "runner", "scheduler", "ops", "benchmarks");
        }
    }

    private static com.tngtech.archunit.lang.ArchRule rule(String wall) {
        return Objects.requireNonNull(Walls.all().get(wall));
    }
}
