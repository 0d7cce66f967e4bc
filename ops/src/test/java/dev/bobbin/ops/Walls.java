package dev.bobbin.ops;

import static com.tngtech.archunit.base.DescribedPredicate.alwaysTrue;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;

/// The rules that keep the house in shape, each by the name that a failing test shows.
final class Walls {
    private static final String IMAGE = "dev.bobbin.image..";
    private static final String RUNNER = "dev.bobbin.runner..";
    private static final String SCHEDULER = "dev.bobbin.scheduler..";
    private static final String OPS = "dev.bobbin.ops..";
    private static final String BENCHMARKS = "dev.bobbin.benchmarks..";
    private static final String HTTP = "dev.bobbin.scheduler.http..";

    private static final Pattern BANNED =
            Pattern.compile(".*(Impl|Manager|Utils?|Helper|Service|Processor|Dto|Entity|Info)|.+Base");

    private Walls() {}

    static Map<String, ArchRule> all() {
        var rules = new LinkedHashMap<String, ArchRule>();
        rules.put("image-store knows no module to its right", none(IMAGE, RUNNER, SCHEDULER, OPS, BENCHMARKS));
        rules.put("runner knows no module to its right", none(RUNNER, SCHEDULER, OPS, BENCHMARKS));
        rules.put("scheduler knows no module to its right", none(SCHEDULER, OPS, BENCHMARKS));
        rules.put("ops does not know benchmarks", none(OPS, BENCHMARKS));
        rules.put("a module is entered by its vocabulary or its doors", doors());
        rules.put(
                "packages are free of cycles",
                slices().matching("dev.bobbin.(**)").should().beFreeOfCycles());
        rules.put(
                "JNA stays in the kernel packages",
                only(
                        "com.sun.jna..",
                        resideInAPackage("dev.bobbin.runner.kernel").or(named("dev.bobbin.image.archive.Kernel"))));
        rules.put(
                "foreign functions stay where they are justified",
                only(
                        "java.lang.foreign..",
                        resideInAPackage("dev.bobbin.runner.kernel")
                                .or(named("dev.bobbin.ops.cli.OutputWatch"))
                                .or(named("dev.bobbin.ops.cli.LocalTerminal"))));
        rules.put(
                "Jedis stays in the cluster",
                only("redis.clients..", resideInAPackage("dev.bobbin.scheduler.cluster")));
        rules.put("SQLite stays in the store", only("org.sqlite..", resideInAPackage("dev.bobbin.scheduler.store")));
        rules.put("Helidon stays in the front and in ops", only("io.helidon..", resideInAnyPackage(HTTP, OPS)));
        rules.put(
                "Jackson stays where texts are parsed",
                only(
                        "com.fasterxml.jackson..",
                        resideInAnyPackage(HTTP, "dev.bobbin.scheduler.store", IMAGE, "dev.bobbin.ops.config")));
        rules.put(
                "placement and vocabularies count nothing",
                none("dev.bobbin.scheduler.placement|dev.bobbin.image|dev.bobbin.runner", "io.micrometer.."));
        rules.put(
                "dialects never import each other",
                slices().matching("dev.bobbin.scheduler.http.(*)..")
                        .should()
                        .notDependOnEachOther()
                        .ignoreDependency(
                                alwaysTrue(),
                                resideInAnyPackage(
                                        "dev.bobbin.scheduler.http.exchange..",
                                        "dev.bobbin.scheduler.http.terminal..")));
        rules.put(
                "the front sees no placement, cluster or sandbox",
                none(
                        HTTP,
                        "dev.bobbin.scheduler.placement..",
                        "dev.bobbin.scheduler.cluster..",
                        "dev.bobbin.runner.sandbox.."));
        rules.put("names say what a thing is", classes().should(haveNoBannedSuffix()));
        rules.put(
                "only ops reads the environment",
                noClasses().that().resideOutsideOfPackage(OPS).should().callMethodWhere(calls(System.class, "getenv")));
        rules.put("nothing sleeps", noClasses().should().callMethodWhere(calls(Thread.class, "sleep")));
        rules.put("every package is described and null-marked", classes().should(liveInMarkedPackage()));
        return rules;
    }

    private static ArchRule none(String packages, String... forbidden) {
        return noClasses()
                .that()
                .resideInAnyPackage(packages.split("\\|", -1))
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(forbidden);
    }

    private static ArchRule only(String library, DescribedPredicate<JavaClass> allowed) {
        return noClasses()
                .that(DescribedPredicate.not(allowed))
                .should()
                .dependOnClassesThat()
                .resideInAPackage(library);
    }

    /// What puts the program together may look inside every module; nothing else may look inside another.
    private static ArchRule doors() {
        var inside = Stream.of(
                        inside(IMAGE, "dev.bobbin.image", "dev.bobbin.image.store"),
                        inside(RUNNER, "dev.bobbin.runner", "dev.bobbin.runner.host", "dev.bobbin.runner.build"),
                        inside(SCHEDULER, "dev.bobbin.scheduler", "dev.bobbin.scheduler.dispatch"))
                .toList();
        return classes().should(new ArchCondition<>("enter other modules by their doors") {
            @Override
            public void check(JavaClass item, ConditionEvents events) {
                if (List.of("dev.bobbin.ops", "dev.bobbin.ops.config").contains(item.getPackageName())) {
                    return;
                }
                for (var dependency : item.getDirectDependenciesFromSelf()) {
                    var target = dependency.getTargetClass();
                    var trespass = inside.stream().anyMatch(part -> part.test(target))
                            && !module(item).equals(module(target));
                    if (trespass) {
                        events.add(SimpleConditionEvent.violated(item, dependency.getDescription()));
                    }
                }
            }
        });
    }

    private static DescribedPredicate<JavaClass> inside(String module, String... open) {
        return resideInAPackage(module).and(DescribedPredicate.not(resideInAnyPackage(open)));
    }

    private static String module(JavaClass item) {
        var parts = item.getPackageName().split("\\.", -1);
        return parts.length < 3 ? "" : parts[2];
    }

    private static DescribedPredicate<JavaClass> named(String name) {
        return DescribedPredicate.describe(
                name, item -> item.getName().equals(name) || item.getName().startsWith(name + "$"));
    }

    private static DescribedPredicate<JavaMethodCall> calls(Class<?> owner, String method) {
        return DescribedPredicate.describe(
                owner.getSimpleName() + "." + method,
                call -> call.getName().equals(method) && call.getTargetOwner().isEquivalentTo(owner));
    }

    private static ArchCondition<JavaClass> haveNoBannedSuffix() {
        return new ArchCondition<>("have no banned suffix") {
            @Override
            public void check(JavaClass item, ConditionEvents events) {
                var supervised = item.getPackageName().startsWith("dev.bobbin.scheduler.service");
                if (BANNED.matcher(item.getSimpleName()).matches()
                        && !(supervised && item.getSimpleName().endsWith("Service"))) {
                    events.add(SimpleConditionEvent.violated(item, item.getName() + " has a banned suffix"));
                }
            }
        };
    }

    private static ArchCondition<JavaClass> liveInMarkedPackage() {
        return new ArchCondition<>("live in a package with a null-marked package-info") {
            @Override
            public void check(JavaClass item, ConditionEvents events) {
                var marked = item.getPackage()
                        .tryGetPackageInfo()
                        .map(info -> info.isAnnotatedWith(NullMarked.class))
                        .orElse(false);
                if (!marked) {
                    events.add(SimpleConditionEvent.violated(
                            item, "the package of " + item.getName() + " has no package-info with @NullMarked"));
                }
            }
        };
    }
}
