package dev.meridian.builder;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.builder.quant.Weights;
import dev.meridian.engine.bundle.Bundle;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The exported f32 graph against the reference, for every family and feature. */
class FamilyTest {
    private static final double TOLERANCE = 1e-3;

    @TempDir
    Path folder;

    static List<Arguments> models() {
        return List.of(
                Arguments.of("llama", HfFolder.of("llama")),
                Arguments.of("llama, tied", HfFolder.of("llama").with("tie_word_embeddings", "true")),
                Arguments.of("llama, tied under the head's name", tied("true", "lm_head")),
                Arguments.of("llama, tied and stored twice", tied("true", "model.embed_tokens", "lm_head")),
                Arguments.of("llama, without a head", tied("false", "model.embed_tokens")),
                Arguments.of("llama, attention biases", HfFolder.of("llama").with("attention_bias", "true")),
                Arguments.of("llama, MLP biases", HfFolder.of("llama").with("mlp_bias", "true")),
                Arguments.of("llama, no grouped queries", HfFolder.of("llama").with("num_key_value_heads", "4")),
                Arguments.of("llama, wide heads", HfFolder.of("llama").with("head_dim", "32")),
                Arguments.of("llama, heads by division", HfFolder.of("llama").without("head_dim")),
                Arguments.of(
                        "llama, linear RoPE",
                        HfFolder.of("llama").with("rope_scaling", "{\"type\": \"linear\", \"factor\": 4.0}")),
                Arguments.of("llama, llama3 RoPE", llama3("rope_scaling", "")),
                Arguments.of(
                        "llama, llama3 RoPE in the newer layout",
                        llama3("rope_parameters", "\"rope_theta\": 20000.0,").without("rope_theta")),
                Arguments.of("llama, F16", HfFolder.of("llama").stored("F16")),
                Arguments.of("llama, BF16", HfFolder.of("llama").stored("BF16")),
                Arguments.of("llama, sharded", HfFolder.of("llama").sharded(3)),
                Arguments.of("mistral", HfFolder.of("mistral").with("sliding_window", "null")),
                Arguments.of(
                        "mistral, window as wide as the context",
                        HfFolder.of("mistral").with("sliding_window", "64")),
                Arguments.of(
                        "qwen2, window from a layer that is not there",
                        HfFolder.of("qwen2")
                                .with("sliding_window", "32")
                                .with("use_sliding_window", "true")
                                .with("max_window_layers", "2")),
                Arguments.of("qwen2", HfFolder.of("qwen2").with("sliding_window", "32")),
                Arguments.of("qwen2, tied", HfFolder.of("qwen2").with("tie_word_embeddings", "true")),
                Arguments.of("qwen3", HfFolder.of("qwen3").with("head_dim", "32")),
                Arguments.of(
                        "qwen3, biases, tied",
                        HfFolder.of("qwen3").with("attention_bias", "true").with("tie_word_embeddings", "true")));
    }

    private static HfFolder tied(String flag, String... tables) {
        return HfFolder.of("llama").with("tie_word_embeddings", flag).tables(tables);
    }

    /** Wavelengths here are 6 (kept), 22 (on the ramp between 8 and 32) and 75 up (stretched). */
    private static HfFolder llama3(String key, String theta) {
        return HfFolder.of("llama").with("rope_theta", "20000.0").with(key, """
                {"rope_type": "llama3", %s "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                 "original_max_position_embeddings": 32}""".formatted(theta));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void logitsAgreeInOneGoInChunksAndTokenByToken(String name, HfFolder model) throws Exception {
        Path source = model.write(folder.resolve("source"), name.hashCode());
        Bundle bundle = TestBundles.imported(source, folder.resolve("bundle"), Weights.F32);
        int[] tokens = TestBundles.tokens(40, bundle.manifest().shape().vocabSize(), 7);
        List<double[]> expected = ReferenceModel.load(source).logits(tokens);
        try (GraphSession session = TestBundles.session(bundle, 3)) {
            assertThat(TestBundles.difference(TestBundles.inChunks(session, 0, tokens, tokens.length), expected))
                    .as("in one go")
                    .isLessThan(TOLERANCE);
            assertThat(TestBundles.difference(TestBundles.inChunks(session, 1, tokens, 7), expected))
                    .as("in chunks of 7")
                    .isLessThan(TOLERANCE);
            assertThat(TestBundles.difference(TestBundles.inChunks(session, 2, tokens, 1), expected))
                    .as("token by token")
                    .isLessThan(TOLERANCE);
        }
    }
}
