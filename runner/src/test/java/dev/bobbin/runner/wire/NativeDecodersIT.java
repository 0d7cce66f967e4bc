package dev.bobbin.runner.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// The init's decoders of frames and orders under the address and undefined-behaviour sanitizers, fed with mutations of
/// what the server sends. `-Dbobbin.seed=` repeats a run, `-Dbobbin.fuzz.rounds=` makes it longer.
class NativeDecodersIT {

    @Test
    void surviveEveryMutation() throws Exception {
        var seed = Long.getLong("bobbin.seed", System.nanoTime() & Integer.MAX_VALUE);
        var rounds = Integer.getInteger("bobbin.fuzz.rounds", 300_000);
        var fuzz = new ProcessBuilder("target/native/frame-fuzz", Long.toString(seed), Integer.toString(rounds))
                .redirectErrorStream(true)
                .start();
        var said = new String(fuzz.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(fuzz.waitFor(1, TimeUnit.MINUTES)).isTrue();
        assertThat(fuzz.exitValue()).as(said).isZero();
        assertThat(said).contains("orders understood");
    }
}
