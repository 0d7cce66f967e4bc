package dev.bobbin.runner.build.dockerfile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.image.ImageConfig;
import dev.bobbin.runner.build.BuildPlan;
import dev.bobbin.runner.build.Source;
import dev.bobbin.runner.build.Step;
import dev.bobbin.runner.build.StepMount;
import dev.bobbin.runner.build.StepMount.Sharing;
import dev.bobbin.runner.build.StepNetwork;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What each instruction does, on a base of `debian`.
class InstructionsTest {
    @Test
    void runTextsInAShellAndArraysAsTheyAre() {
        var plan = of(
                "RUN echo  \"a\" $A\nRUN [\"/bin/x\", \"$A\", \"\\u0041\\n\"]\nSHELL [\"/bin/bash\", \"-ec\"]\nRUN [ -f x ]");

        assertThat(Plans.run(plan, 0).argv()).containsExactly("/bin/sh", "-c", "echo  \"a\" $A");
        assertThat(Plans.run(plan, 1).argv()).containsExactly("/bin/x", "$A", "A\n");
        assertThat(Plans.run(plan, 2).argv()).containsExactly("/bin/bash", "-ec", "[ -f x ]");
        assertThat(plan.config().shell()).containsExactly("/bin/bash", "-ec");
    }

    @Test
    void runHeredocs() {
        var plan = of("""
                RUN <<EOF
                set -e
                make
                EOF
                RUN <<-'EOF'
                \t#!/usr/bin/env python3
                \tprint("$A")
                EOF
                RUN python3 - <<-EOF >/x
                \tprint(1)
                \tEOF
                """);

        assertThat(Plans.run(plan, 0).argv()).containsExactly("/bin/sh", "-c", "set -e\nmake\n");
        assertThat(Plans.run(plan, 1).argv()).containsExactly("/run/heredocs/EOF");
        assertThat(Plans.run(plan, 1).mounts())
                .containsExactly(
                        new StepMount.Text("/run/heredocs/EOF", "#!/usr/bin/env python3\nprint(\"$A\")\n", 0755));
        assertThat(Plans.run(plan, 2).argv())
                .containsExactly("/bin/sh", "-c", "python3 - <<-EOF >/x\n\tprint(1)\nEOF\n");
    }

    @Test
    void runWithMountsAndNetworks() {
        var plan = of("""
                ARG DIR=cache
                WORKDIR /src
                RUN --mount=type=cache,target=/root/.${DIR},sharing=locked,id=go --mount=target=. \\
                    --mount=type=secret,id=npmrc,target=/root/.npmrc,required --mount=type=secret,id=TOKEN,env=TOKEN \\
                    --mount=type=tmpfs,dst=/tmp,size=64m --mount=type=bind,from=busybox,src=/bin,target=/b,rw \\
                    --network=none make
                RUN --mount=type=cache,target=rel,mode=0777,uid=5,ro --network=host x
                RUN --mount=type=secret,id=a x
                """);

        var run = Plans.run(plan, 0);
        assertThat(run.network()).isEqualTo(StepNetwork.NONE);
        assertThat(run.mounts().toString())
                .isEqualTo(List.of(
                                new StepMount.Cache("/root/.cache", "go", Sharing.LOCKED, false, 0755, 0, 0),
                                new StepMount.Bind("/src", new Source.Context(), "", false),
                                new StepMount.Secret("/root/.npmrc", "npmrc", null, true, 0400, 0, 0),
                                new StepMount.Secret("", "TOKEN", "TOKEN", false, 0400, 0, 0),
                                new StepMount.Tmpfs("/tmp", 64 << 20),
                                new StepMount.Bind(
                                        "/b",
                                        new Source.Stack(new dev.bobbin.runner.build.Base.Image(
                                                new dev.bobbin.image.ImageReference("busybox"))),
                                        "bin",
                                        true))
                        .toString());
        assertThat(Plans.run(plan, 1).mounts())
                .containsExactly(new StepMount.Cache("/src/rel", "/src/rel", Sharing.SHARED, true, 0777, 5, 0));
        assertThat(Plans.run(plan, 1).network()).isEqualTo(StepNetwork.HOST);
        assertThat(Plans.run(plan, 2).mounts())
                .containsExactly(new StepMount.Secret("/run/secrets/a", "a", null, false, 0400, 0, 0));
    }

    @Test
    void showProxiesToCommandsWithoutMakingThemPartOfThem() {
        var plan = new Plans()
                .argument("HTTP_PROXY", "http://proxy")
                .argument("no_proxy", "localhost")
                .of("FROM debian\nRUN a\nARG HTTP_PROXY\nRUN b\n");

        assertThat(Plans.run(plan, 0).env()).doesNotContainKey("HTTP_PROXY");
        assertThat(Plans.run(plan, 0).hiddenEnv())
                .isEqualTo(Map.of("HTTP_PROXY", "http://proxy", "no_proxy", "localhost"));
        assertThat(Plans.run(plan, 1).env()).containsEntry("HTTP_PROXY", "http://proxy");
        assertThat(Plans.run(plan, 1).hiddenEnv()).isEqualTo(Map.of("no_proxy", "localhost"));
        assertThat(plan.warnings()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "COPY a /b             | a     | /b",
                "COPY a b              | a     | /w/b",
                "COPY a b/             | a     | /w/b/",
                "COPY a .              | a     | /w/",
                "COPY a ./             | a     | /w/",
                "COPY a ..             | a     | /",
                "COPY a /              | a     | /",
                "COPY a /x/../y        | a     | /y",
                "COPY ./a/ /b          | a     | /b",
                "COPY /a /b            | a     | /b",
                "COPY a/../c /b        | c     | /b",
                "COPY . /b             | ''    | /b",
                "COPY a c /b/          | a,c   | /b/",
                "COPY [\"a b\", \"/b\"] | a b  | /b",
                "COPY \"a b\" /b       | a b   | /b",
                "COPY $X /$X/          | val   | /val/",
                "COPY *.go /b/         | *.go  | /b/",
            })
    void copyTo(String line, String patterns, String destination) {
        var copy = Plans.copy(of("WORKDIR /w\nENV X=val\n" + line), 0);

        assertThat(String.join(",", copy.patterns())).isEqualTo(patterns);
        assertThat(copy.destination()).isEqualTo(destination);
        assertThat(copy.source()).isEqualTo(new Source.Context());
        assertThat(copy.unpack()).isFalse();
    }

    @Test
    void copyWithFlags() {
        var plan = of("""
                ARG U=app
                COPY --chown=$U:users --chmod=0750 --link --exclude=*.md --exclude=docs/** --parents src/./a /x/
                ADD a.tar.gz /b/
                ADD --unpack=false a.tar.gz /b/
                """);

        assertThat(Plans.copy(plan, 0))
                .isEqualTo(new Step.Copy(
                        3,
                        new Source.Context(),
                        List.of("src/./a"),
                        List.of("*.md", "docs/**"),
                        "/x/",
                        "app:users",
                        0750,
                        false,
                        true,
                        true));
        assertThat(Plans.copy(plan, 1).unpack()).isTrue();
        assertThat(Plans.copy(plan, 2).unpack()).isFalse();
    }

    @Test
    void copyHeredocs() {
        var plan = of("""
                ENV A=1
                COPY <<EOF <<-"B" /etc/conf/
                a=$A
                EOF
                \tb=$A
                B
                COPY --chmod=755 --chown=7 <<x /bin/start
                #!/bin/sh
                x
                """);

        assertThat(Plans.steps(plan))
                .containsExactly(
                        new Step.InlineFile(3, "/etc/conf/EOF", "a=1\n", null, 0644),
                        new Step.InlineFile(3, "/etc/conf/B", "b=$A\n", null, 0644),
                        new Step.InlineFile(8, "/bin/start", "#!/bin/sh\n", "7", 0755));
    }

    @Test
    void setVariablesAllAtOnce() {
        var environment = of("ENV A=hello\nENV A=bye B=$A\nENV C=$A D=\"x y\" E=a\\ b F='q $A'\nENV G one two")
                .config()
                .environment();

        assertThat(environment)
                .containsEntry("A", "bye")
                .containsEntry("B", "hello")
                .containsEntry("C", "bye")
                .containsEntry("D", "x y")
                .containsEntry("E", "a b")
                .containsEntry("F", "q $A")
                .containsEntry("G", "one two");
    }

    @Test
    void variablesComeBeforeArguments() {
        var plan = new Plans()
                .argument("A", "given")
                .of("FROM debian\nENV A=env\nARG A=arg\nARG PATH=x\nRUN a\nWORKDIR /$A\n");

        assertThat(Plans.run(plan, 0).env()).containsEntry("A", "env").containsEntry("PATH", Plans.PATH);
        assertThat(plan.config().workdir()).isEqualTo("/env");
    }

    @Test
    void joinWorkingDirectories() {
        var plan = of("WORKDIR /a\nWORKDIR b\nUSER app:1\nWORKDIR ../$NO/c\n");

        assertThat(plan.config().workdir()).isEqualTo("/a/c");
        assertThat(Plans.steps(plan))
                .containsExactly(
                        new Step.MakeDirectory(2, "/a", null, 0755),
                        new Step.MakeDirectory(3, "/a/b", null, 0755),
                        new Step.MakeDirectory(5, "/a/c", "app:1", 0755));
        assertThat(plan.config().user()).isEqualTo("app:1");
    }

    @Test
    void anEntrypointTakesAwayTheCommandOfTheBase() {
        assertThat(of("ENTRYPOINT [\"x\"]").config().command()).isEmpty();
        assertThat(of("CMD [\"a\"]\nENTRYPOINT x y").config())
                .extracting(ImageConfig::command, ImageConfig::entrypoint)
                .containsExactly(List.of("a"), List.of("/bin/sh", "-c", "x y"));
        assertThat(of("LABEL a=b").config().command()).containsExactly("bash");
        assertThat(of("CMD []").config().command()).isEmpty();
    }

    @Test
    void sayWhatTheImageIs() {
        var config = of("""
                LABEL a=1 "b c"="d e" f=$X
                LABEL multi="line \\
                joined"
                EXPOSE 80 53/UDP 9000-9002
                ENV PORTS="1 2"
                EXPOSE $PORTS
                VOLUME /data /log
                VOLUME ["/x y"]
                STOPSIGNAL SIGQUIT
                """).config();

        assertThat(config.labels()).isEqualTo(Map.of("a", "1", "b c", "d e", "f", "", "multi", "line joined"));
        assertThat(config.exposedPorts())
                .containsExactly("80/tcp", "53/udp", "9000/tcp", "9001/tcp", "9002/tcp", "1/tcp", "2/tcp");
        assertThat(config.volumes()).containsExactly("/data", "/log", "/x y");
        assertThat(config.stopSignal()).isEqualTo("SIGQUIT");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "HEALTHCHECK NONE | {\"Test\": [\"NONE\"]}",
                "HEALTHCHECK CMD curl -f x | {\"Test\": [\"CMD-SHELL\", \"curl -f x\"]}",
                "HEALTHCHECK --interval=1m30s --timeout=500ms --retries=3 --start-period=0s CMD [\"a\", \"b\"] | "
                        + "{\"Test\": [\"CMD\", \"a\", \"b\"], \"Interval\": 90000000000, \"Timeout\": 500000000, \"Retries\": 3}",
                "HEALTHCHECK --start-interval=1.5s CMD a | {\"Test\": [\"CMD-SHELL\", \"a\"], \"StartInterval\": 1500000000}",
            })
    void askWhetherAllIsWell(String line, String json) {
        assertThat(of(line).config().healthcheck()).isEqualTo(json);
    }

    @Test
    void keepAuthorsAndHistory() {
        var plan = of("MAINTAINER  A. B. <a@b>\nRUN x\nCMD y");

        assertThat(plan.config().labels()).containsEntry("org.opencontainers.image.authors", "A. B. <a@b>");
        assertThat(plan.warnings()).hasSize(1);
        assertThat(plan.history())
                .containsExactly(
                        new BuildPlan.Past("MAINTAINER  A. B. <a@b>", null),
                        new BuildPlan.Past("RUN x", "0.1"),
                        new BuildPlan.Past("CMD y", null));
    }

    @Test
    void warnOfWhatWasProbablyMeantOtherwise() {
        assertThat(of("CMD ['a', 'b']").warnings())
                .extracting(BuildPlan.Warning::line)
                .containsExactly(2);
        assertThat(of("RUN [ -f x ] && y").warnings()).isEmpty();
        assertThat(new Plans()
                        .argument("TYPO", "1")
                        .of("FROM debian\nARG TYPE\n")
                        .warnings())
                .extracting(BuildPlan.Warning::text)
                .containsExactly("the argument TYPO was given, and no ARG of what was built declares it");
    }

    private static BuildPlan of(String lines) {
        return new Plans().of("FROM debian\n" + lines);
    }
}
