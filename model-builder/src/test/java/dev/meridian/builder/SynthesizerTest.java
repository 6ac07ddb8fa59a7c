package dev.meridian.builder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.builder.quant.Weights;
import dev.meridian.builder.source.ImportException;
import dev.meridian.engine.bundle.Bundle;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SynthesizerTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource
    void bundlesRunAndFollowTheSeed(Weights weights) throws Exception {
        Bundle one = synthesized("one", weights, 1);
        Bundle again = synthesized("again", weights, 1);
        Bundle other = synthesized("other", weights, 2);
        assertThat(one.verify()).isEmpty();
        assertThat(again.manifest()).isEqualTo(one.manifest());
        assertThat(other.manifest().files().get("model.onnx.data"))
                .isNotEqualTo(one.manifest().files().get("model.onnx.data"));
        try (GraphSession session = TestBundles.session(one, 1)) {
            float[][] logits = TestBundles.inChunks(session, 0, TestBundles.tokens(9, 300, 1), 9);
            double squares = 0;
            for (float logit : logits[8]) {
                squares += logit * logit;
            }
            // A normed vector of 64 ones' size times rows of deviation 0.02: 0.02 * sqrt(64).
            assertThat(Math.sqrt(squares / logits[8].length)).isBetween(0.12, 0.20);
        }
    }

    @Test
    void vocabulariesWithoutRoomForBytesAreRefused() throws Exception {
        Path source = HfFolder.of("llama").write(folder.resolve("source"), 1);
        assertThatThrownBy(() -> new Synthesizer()
                        .run(
                                source.resolve("config.json"),
                                folder.resolve("x"),
                                Weights.INT8,
                                1,
                                ProgressListener.none()))
                .isInstanceOf(ImportException.class)
                .hasMessageContaining("vocab_size 97");
        assertThat(folder.resolve("x")).doesNotExist();
    }

    private Bundle synthesized(String name, Weights weights, long seed) throws Exception {
        Path source = HfFolder.of("qwen3").with("vocab_size", "300").write(folder.resolve("source"), 1);
        Files.deleteIfExists(source.resolve("model.safetensors"));
        new Synthesizer()
                .run(source.resolve("config.json"), folder.resolve(name), weights, seed, ProgressListener.none());
        return Bundle.open(folder.resolve(name));
    }
}
