package dev.bobbin.runner.build.dockerfile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.image.ImageConfig;
import dev.bobbin.runner.build.BuildException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What is refused, with its line and with what would be right.
class RefusalsTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "RUNN x                            | there is no instruction RUNN; did you mean RUN?",
                "COYP a b                          | there is no instruction COYP; did you mean COPY?",
                "INCLUDE x                         | there is no instruction INCLUDE",
                "RUN                               | RUN needs a command",
                "CMD                               | CMD needs a command",
                "CMD [\"a\", 1]                    | an array here holds strings only",
                "ENTRYPOINT                        | ENTRYPOINT needs a command",
                "COPY a                            | COPY needs a source and a destination",
                "COPY a b /c                       | several sources go into a directory; end its name with a /: /c/",
                "COPY ../a /b                      | ../a lies outside what is copied from",
                "COPY a/../../b /b                 | lies outside",
                "COPY --form=x a b                 | COPY has no flag --form; it has --chmod --chown --exclude --from",
                "COPY --from a b                   | --from needs a value: --from=…",
                "COPY --from=$X a b                | from= takes no variables",
                "COPY --from=3 a b                 | there is no stage 3 before this one",
                "COPY --from=0 a b                 | there is no stage 0 before this one",
                "COPY --from=self a b              | the stage self stands on itself",
                "COPY --from=Bad/Name a b          | \"Bad/Name\" is no image and no stage",
                "COPY [a /b                        | the pattern [a has a [ that is not closed",
                "COPY --exclude=[a a /b            | the pattern [a has a [ that is not closed",
                "COPY --chmod=u+x a b              | --chmod is an octal number such as 0755, not \"u+x\"",
                "COPY --chmod=99 a b               | --chmod is an octal number",
                "COPY --chown=:g a b               | --chown names a user",
                "COPY --chown=a --chown=b a b      | --chown stands here twice",
                "COPY --link=maybe a b             | --link is true or false",
                "COPY a $EMPTY                     | the destination $EMPTY is empty",
                "ADD https://example.org/x /x      | https://example.org/x is not fetched here",
                "ADD git@github.com:a/b.git /x     | is not fetched here",
                "ADD --checksum=sha256:1 a b       | --checksum are for remote sources",
                "RUN --security=insecure x         | builds keep their sandbox",
                "RUN --network=bridge x            | --network is default, none or host, not bridge",
                "RUN --device=gpu x                | --device is not supported",
                "RUN --mount=type=ssh x            | --mount=type=ssh is not supported",
                "RUN --mount=type=nfs,target=/x x  | --mount has no type nfs; there are bind cache secret tmpfs",
                "RUN --mount=type=cache x          | --mount needs a place: target=/path",
                "RUN --mount=type=cache,target=/ x | cannot cover the root",
                "RUN --mount=type=cache,target=/a,from=x y | --mount=type=cache has no from here",
                "RUN --mount=type=cache,target=/a,sharing=x y | sharing is shared, private or locked",
                "RUN --mount=type=cache,target=/a,dst=/b y | --mount has target twice",
                "RUN --mount=type=secret x         | a secret needs a name",
                "RUN --mount=type=tmpfs,target=/a,size=x y | size is a number of bytes",
                "RUN --mount=type=cache,target=/a,uid=x y | uid is a number, not x",
                "RUN --mount=type=bind,target=/a,rw=x y | readwrite is true or false, not x",
                "ENV A                             | ENV needs a value: ENV A=value",
                "ENV                               | ENV is written ENV name=value",
                "ENV A=1 B                         | \"B\" has no =, quote a value that has spaces",
                "ENV =1                            | \"=1\" has no name",
                "ENV $EMPTY=1                      | \"\" is no name",
                "LABEL a                           | LABEL needs a value: LABEL a=value",
                "ARG                               | ARG needs a name",
                "ARG =1                            | ARG needs a name before the =",
                "WORKDIR                           | WORKDIR needs a directory",
                "WORKDIR $EMPTY                    | $EMPTY is empty",
                "USER                              | USER needs a user",
                "USER a b                          | USER needs exactly a user",
                "EXPOSE                            | EXPOSE needs a port",
                "EXPOSE 0                          | \"0\" is no port; write 80, 80/udp or 8000-8010",
                "EXPOSE 80:80                      | \"80:80\" is no port",
                "EXPOSE 9-8                        | \"9-8\" is no port",
                "EXPOSE 70000                      | \"70000\" is no port",
                "VOLUME                            | VOLUME needs a directory",
                "VOLUME []                         | VOLUME needs a directory",
                "STOPSIGNAL please                 | \"please\" is no signal",
                "STOPSIGNAL 65                     | \"65\" is no signal",
                "SHELL /bin/bash -c                | SHELL is written as an array",
                "HEALTHCHECK curl x                | HEALTHCHECK is written HEALTHCHECK [flags] CMD command",
                "HEALTHCHECK NONE x                | HEALTHCHECK NONE stands alone",
                "HEALTHCHECK --interval=5 CMD x    | --interval is a duration such as 30s",
                "HEALTHCHECK --interval=5ns CMD x  | --interval is at least 1ms",
                "HEALTHCHECK --retries=x CMD x     | --retries is a whole number",
                "ONBUILD                           | ONBUILD needs an instruction",
                "ONBUILD FROM x                    | FROM cannot stand after ONBUILD",
                "ONBUILD ONBUILD RUN x             | ONBUILD cannot stand after ONBUILD",
                "ONBUILD RUNN x                    | there is no instruction RUNN",
                "MAINTAINER                        | MAINTAINER needs a name",
                "FROM                              | FROM is written FROM image, or FROM image AS stage",
                "FROM a b                          | FROM is written",
                "FROM a AS 1b                      | the stage name 1b begins with a letter",
                "FROM $NOPE                        | $NOPE is empty; declare it before the first FROM",
                "FROM --platform=linux/s390x a     | --platform=linux/s390x cannot be built here",
                "FROM --platform=x a               | --platform=x: a platform is written",
                "FROM --as=x a                     | FROM has no flag --as; it has --platform",
                "FROM lower/UPPER                  | is no image and no stage",
                "EXPOSE ${X                        | a \"}\" is missing in ${X",
                "WORKDIR 'x                        | a closing ' is missing",
            })
    void nameTheLineAndWhatWouldBeRight(String line, String message) {
        assertThatThrownBy(() -> new Plans().of("FROM debian AS self\nENV EMPTY=\"\"\n# here\n" + line + "\n"))
                .isInstanceOfSatisfying(BuildException.class, e -> {
                    assertThat(e.problem()).isEqualTo(BuildException.Problem.RECIPE);
                    assertThat(e.line()).isEqualTo(4);
                })
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "''           | 0 | there is no FROM; a Dockerfile begins with FROM image",
                "'# only'     | 0 | there is no FROM; a Dockerfile begins with FROM image",
                "'\nRUN x'    | 2 | a Dockerfile begins with FROM; before it only ARG may stand",
                "'ARG A=1'    | 0 | there is no FROM; a Dockerfile begins with FROM image",
            })
    void wantAFileToBeginWithFrom(String text, int line, String message) {
        assertThatThrownBy(() -> new Plans().of(text))
                .isInstanceOfSatisfying(
                        BuildException.class, e -> assertThat(e.line()).isEqualTo(line))
                .hasMessage(message);
    }

    @Test
    void sayWhereAnImageIsNamedThatNobodyHas() {
        assertThatThrownBy(() -> new Plans().of("# x\nFROM nowhere\n"))
                .isInstanceOfSatisfying(BuildException.class, e -> {
                    assertThat(e.problem()).isEqualTo(BuildException.Problem.NO_SUCH_IMAGE);
                    assertThat(e.line()).isEqualTo(2);
                })
                .hasMessage("there is no nowhere");
    }

    @Test
    void nameTheStagesThereAre() {
        assertThatThrownBy(() -> new Plans().target("x").of("FROM debian AS a\nFROM debian\n"))
                .hasMessage("there is no stage x to build; there are a, stage-1");
    }

    @Test
    void nameCirclesOfStages() {
        assertThatThrownBy(() ->
                        new Plans().of("FROM debian AS a\nCOPY --from=b x /\nFROM debian AS b\nCOPY --from=a x /\n"))
                .hasMessage("the stage b stands on itself");
    }

    @Test
    void tellOfTriggersThatCannotBeFollowed() {
        var base = new ImageConfig(
                Map.of(),
                List.of(),
                List.of(),
                "root",
                "/",
                null,
                List.of(),
                List.of(),
                Map.of(),
                null,
                List.of(),
                List.of("COPY x"),
                ImageConfig.Origin.HERE);

        assertThatThrownBy(() -> new Plans().with("base", base).of("\nFROM base\n"))
                .isInstanceOfSatisfying(
                        BuildException.class, e -> assertThat(e.line()).isEqualTo(2))
                .hasMessageStartingWith("the base leaves ONBUILD COPY x: COPY needs a source");
    }

    @Test
    void boundWhatOneFileMayAskFor() {
        assertThatThrownBy(() -> new Plans().of("FROM debian\n" + "USER a\n".repeat(2000)))
                .hasMessageContaining("over 2000 instructions");
        assertThatThrownBy(() -> new Plans().of("FROM debian\n".repeat(201))).hasMessageContaining("over 200 stages");
    }
}
