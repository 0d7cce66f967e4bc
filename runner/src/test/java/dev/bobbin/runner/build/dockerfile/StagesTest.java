package dev.bobbin.runner.build.dockerfile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.image.ImageReference;
import dev.bobbin.image.Platform;
import dev.bobbin.runner.build.Base;
import dev.bobbin.runner.build.Block;
import dev.bobbin.runner.build.Source;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class StagesTest {
    private static final String TWO = """
            ARG BASE=debian
            FROM ${BASE} AS build
            RUN make
            FROM scratch
            COPY --from=build /out/app /
            COPY --from=0 /etc/passwd /etc/
            CMD ["/app"]
            """;

    private final Plans plans = new Plans();

    @Test
    void copyFromOneAnother() {
        var plan = plans.of(TWO);

        assertThat(Plans.stack(plan))
                .containsExactly(
                        "Scratch[]",
                        "[stage-1 2/3] COPY --from=build /out/app /",
                        "[stage-1 3/3] COPY --from=0 /etc/passwd /etc/");
        var made = new Source.Stack(new Base.Result("0.1"));
        assertThat(Plans.copy(plan, 0).source()).isEqualTo(made);
        assertThat(Plans.copy(plan, 1).source()).isEqualTo(made);
        assertThat(plan.blocks()).extracting(Block::title).startsWith("[build 2/2] RUN make");
        assertThat(plan.blocks()).extracting(Block::line).containsExactly(3, 5, 6);
    }

    @Test
    void areLookedAtOnlyIfTheTargetNeedsThem() {
        var plan = plans.of("""
                FROM nowhere AS unused
                RUN broken ${
                FROM debian AS tested
                COPY --from=unused x /
                FROM debian
                RUN a
                """);

        assertThat(plan.blocks()).hasSize(1);
        assertThat(plans.resolved()).containsExactly("debian");
    }

    @Test
    void areTargetsByNameAndNumber() {
        assertThat(new Plans().target("BUILD").of(TWO).result()).isEqualTo(new Base.Result("0.1"));
        assertThat(new Plans().target("0").of(TWO).result()).isEqualTo(new Base.Result("0.1"));
        assertThat(new Plans().target("1").of(TWO).result()).isEqualTo(new Base.Result("1.2"));
    }

    @Test
    void standOnOneAnotherWithAllThatWasSaid() {
        var plan = plans.of("""
                FROM debian AS base
                ARG VERSION=3
                ENV A=1
                WORKDIR /srv
                USER app
                LABEL x=y
                FROM base
                RUN echo $VERSION
                ENV B=$A$VERSION
                """);

        assertThat(Plans.run(plan, 0).env()).containsEntry("VERSION", "3").containsEntry("A", "1");
        assertThat(Plans.run(plan, 0).workdir()).isEqualTo("/srv");
        assertThat(Plans.run(plan, 0).user()).isEqualTo("app");
        assertThat(plan.config().environment()).containsEntry("B", "13").doesNotContainKey("VERSION");
        assertThat(plan.config().labels()).containsEntry("x", "y");
        assertThat(plan.history()).extracting(past -> past.createdBy()).startsWith("ARG VERSION=3", "ENV A=1");
    }

    @Test
    void copyFromImagesAndFromWhatComesLater() {
        var plan = plans.of("""
                FROM debian
                COPY --from=busybox:1.36 /bin/sh /sh
                COPY --from=later /x /x
                FROM debian AS later
                RUN x
                """.replace("FROM debian\n", "FROM debian AS first\n") + "FROM first\n");

        assertThat(Plans.copy(plan, 0).source())
                .isEqualTo(new Source.Stack(new Base.Image(new ImageReference("busybox:1.36"))));
        assertThat(Plans.copy(plan, 1).source()).isEqualTo(new Source.Stack(new Base.Result("1.1")));
    }

    @Test
    void ofScratchHaveNoLayers() {
        var plan = plans.of("FROM scratch\nENV A=b\n");

        assertThat(plan.result()).isEqualTo(new Base.Scratch());
        assertThat(plan.blocks()).isEmpty();
        assertThat(plan.config().environment()).containsEntry("A", "b").containsKey("PATH");
    }

    @Test
    void mayNameThisMachinesPlatform() {
        var here = Platform.ofThisMachine().text();

        assertThat(plans.of("FROM --platform=$BUILDPLATFORM debian\nRUN a").blocks())
                .hasSize(1);
        assertThat(plans.of("FROM --platform=" + here + " debian\nRUN a").blocks())
                .hasSize(1);
    }

    @Test
    void inheritGlobalArgumentsOnlyIfTheySaySo() {
        var plan = plans.argument("GIVEN", "given").of("""
                ARG GLOBAL=global
                ARG DERIVED=${GLOBAL}-derived
                ARG GIVEN=default
                FROM debian
                RUN none
                ARG GLOBAL
                ARG DERIVED=own
                ARG GIVEN
                ARG TARGETARCH
                ARG UNSET
                RUN some
                """);

        assertThat(Plans.run(plan, 0).env()).isEqualTo(Map.of("PATH", Plans.PATH));
        assertThat(Plans.run(plan, 1).env())
                .isEqualTo(Map.of(
                        "PATH", Plans.PATH,
                        "GLOBAL", "global",
                        "DERIVED", "own",
                        "GIVEN", "given",
                        "TARGETARCH", Platform.ofThisMachine().architecture()));
    }

    @Test
    void runTheTriggersOfTheirBase() {
        var base = plans.of("""
                FROM debian
                ONBUILD COPY . /app
                ONBUILD RUN make -C /app $WHAT
                ONBUILD CMD ["/app/run"]
                """).config();
        var plan = new Plans().with("base", base).of("FROM base\nRUN last\n");

        assertThat(base.onBuild()).containsExactly("COPY . /app", "RUN make -C /app $WHAT", "CMD [\"/app/run\"]");
        assertThat(Plans.copy(plan, 0).destination()).isEqualTo("/app");
        assertThat(Plans.run(plan, 0).argv()).containsExactly("/bin/sh", "-c", "make -C /app $WHAT");
        assertThat(Plans.run(plan, 1).argv()).containsExactly("/bin/sh", "-c", "last");
        assertThat(plan.config().command()).isEqualTo(List.of("/app/run"));
        assertThat(plan.config().onBuild()).isEmpty();
    }
}
