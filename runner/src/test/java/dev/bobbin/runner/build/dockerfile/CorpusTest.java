package dev.bobbin.runner.build.dockerfile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.image.ImageConfig;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Dockerfiles as people write them.
class CorpusTest {
    @Test
    void node() {
        var plan = plans("node:20-slim").of("""
                # syntax=docker/dockerfile:1
                ARG NODE_VERSION=20
                FROM node:${NODE_VERSION}-slim AS base
                WORKDIR /usr/src/app
                ENV NODE_ENV=production

                FROM base AS deps
                RUN --mount=type=bind,source=package.json,target=package.json \\
                    --mount=type=bind,source=package-lock.json,target=package-lock.json \\
                    --mount=type=cache,target=/root/.npm \\
                    npm ci --omit=dev

                FROM deps AS build
                COPY . .
                RUN npm run build

                FROM base AS final
                USER node
                COPY package.json .
                COPY --from=deps /usr/src/app/node_modules ./node_modules
                COPY --from=build --chown=node:node /usr/src/app/dist ./dist
                EXPOSE 3000
                HEALTHCHECK --interval=30s --timeout=3s CMD node healthcheck.js || exit 1
                CMD npm start
                """);

        assertThat(Plans.stack(plan))
                .containsExactly(
                        "Image[reference=node:20-slim]",
                        "[base 2/2] WORKDIR /usr/src/app",
                        "[final 2/4] COPY package.json .",
                        "[final 3/4] COPY --from=deps /usr/src/app/node_modules ./node_modules",
                        "[final 4/4] COPY --from=build --chown=node:node /usr/src/app/dist ./dist");
        assertThat(Plans.copy(plan, 2).destination()).isEqualTo("/usr/src/app/node_modules");
        assertThat(Plans.run(plan, 0).mounts()).hasSize(3);
        assertThat(plan.config().command()).containsExactly("/bin/sh", "-c", "npm start");
        assertThat(plan.config().user()).isEqualTo("node");
        assertThat(plan.config().environment()).containsEntry("NODE_ENV", "production");
    }

    @Test
    void python() {
        var plan = plans("python:3.12").of("""
                FROM python:3.12 AS builder
                ENV PYTHONDONTWRITEBYTECODE=1 \\
                    PYTHONUNBUFFERED=1
                RUN python -m venv /opt/venv
                # later commands use it
                ENV PATH="/opt/venv/bin:$PATH"
                COPY requirements.txt .
                RUN pip install \\
                      --no-cache-dir \\
                      # pinned below
                      -r requirements.txt

                FROM python:3.12
                COPY --from=builder /opt/venv /opt/venv
                ENV PATH=/opt/venv/bin:${PATH}
                COPY app/ /app/
                WORKDIR /app
                ENTRYPOINT ["python", "-m", "app"]
                CMD ["--port", "8000"]
                """);

        assertThat(Plans.run(plan, 1).env().get("PATH")).isEqualTo("/opt/venv/bin:" + Plans.PATH);
        assertThat(Plans.run(plan, 1).argv().getLast())
                .isEqualTo("pip install       --no-cache-dir       -r requirements.txt");
        assertThat(plan.config().environment()).isEqualTo(Map.of("PATH", "/opt/venv/bin:" + Plans.PATH));
        assertThat(plan.config().entrypoint()).containsExactly("python", "-m", "app");
        assertThat(plan.config().command()).containsExactly("--port", "8000");
    }

    @Test
    void goInStages() {
        var plan = plans("golang:1.23").argument("VERSION", "v9").of("""
                FROM --platform=$BUILDPLATFORM golang:1.23 AS build
                ARG TARGETOS TARGETARCH VERSION=dev
                WORKDIR /src
                COPY go.mod go.sum ./
                RUN --mount=type=cache,target=/go/pkg/mod go mod download
                COPY . .
                RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \\
                    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -ldflags "-X main.version=${VERSION}" -o /out/app ./cmd/app

                FROM scratch
                COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
                COPY --from=build /out/app /app
                USER 65532:65532
                ENTRYPOINT ["/app"]
                """);

        assertThat(Plans.run(plan, 1).env()).containsEntry("VERSION", "v9").containsEntry("TARGETOS", "linux");
        assertThat(Plans.copy(plan, 0).patterns()).containsExactly("go.mod", "go.sum");
        assertThat(Plans.stack(plan)).hasSize(3).startsWith("Scratch[]");
        assertThat(plan.config().user()).isEqualTo("65532:65532");
    }

    @Test
    void programsInCOnDebian() {
        var plan = plans("debian").of("""
                FROM debian AS build
                RUN apt-get update && apt-get install -y --no-install-recommends \\
                        gcc \\
                        libc6-dev \\
                    && rm -rf /var/lib/apt/lists/*
                WORKDIR /build
                COPY <<-"EOF" hello.c
                \t#include <stdio.h>
                \tint main(void) { printf("hello, $USER\\n"); }
                EOF
                COPY --chmod=0755 <<EOF /usr/local/bin/start
                #!/bin/sh
                exec /usr/local/bin/hello "\\$@"
                EOF
                RUN gcc -O2 -static -o hello hello.c

                FROM debian
                COPY --from=build /build/hello /usr/local/bin/start /usr/local/bin/
                STOPSIGNAL SIGINT
                CMD ["start"]
                """);

        assertThat(Plans.steps(plan).get(2))
                .isEqualTo(new dev.bobbin.runner.build.Step.InlineFile(
                        7,
                        "/build/hello.c",
                        "#include <stdio.h>\nint main(void) { printf(\"hello, $USER\\n\"); }\n",
                        null,
                        0644));
        assertThat(Plans.steps(plan).get(3).toString()).contains("exec /usr/local/bin/hello \"$@\"\n");
        assertThat(plan.config().stopSignal()).isEqualTo("SIGINT");
    }

    @Test
    void scriptsInHeredocs() {
        var plan = plans("alpine:3.20").of("""
                FROM alpine:3.20
                SHELL ["/bin/ash", "-eo", "pipefail", "-c"]
                RUN <<EOT
                  apk add --no-cache curl
                  curl -fsS http://localhost | tar xz   # a comment of the shell
                EOT
                RUN <<EOT
                #!/usr/bin/env python3
                print("hi")
                EOT
                RUN cat > /etc/a.conf <<A && cat > /etc/b.conf <<'B'
                a = $HOME
                A
                b = $HOME
                B
                """);

        assertThat(Plans.run(plan, 0).argv())
                .isEqualTo(
                        List.of(
                                "/bin/ash",
                                "-eo",
                                "pipefail",
                                "-c",
                                "  apk add --no-cache curl\n  curl -fsS http://localhost | tar xz   # a comment of the shell\n"));
        assertThat(Plans.run(plan, 1).argv()).containsExactly("/run/heredocs/EOT");
        assertThat(Plans.run(plan, 2).argv().getLast())
                .isEqualTo("cat > /etc/a.conf <<A && cat > /etc/b.conf <<'B'\na = $HOME\nA\nb = $HOME\nB\n");
    }

    private static Plans plans(String image) {
        return new Plans()
                .with(image, new ImageConfig(Map.of("PATH", Plans.PATH), List.of(), List.of("sh"), "root", "/"));
    }
}
