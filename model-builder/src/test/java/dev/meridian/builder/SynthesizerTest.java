package dev.meridian.builder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.meridian.builder.quant.Weights;
import dev.meridian.builder.source.ImportException;
import dev.meridian.engine.bundle.Bundle;
import java.nio.charset.StandardCharsets;
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
        Path source = HfFolder.of("llama").writeConfig(folder.resolve("source"));
        assertThatThrownBy(() ->
                        new Synthesizer().run(source, folder.resolve("x"), Weights.INT8, 1, ProgressListener.none()))
                .isInstanceOf(ImportException.class)
                .hasMessageContaining("vocab_size 97");
        assertThat(folder.resolve("x")).doesNotExist();
    }

    @Test
    void tokenizerKnowsEveryByteAndItsEnd() throws Exception {
        Bundle bundle = synthesized("one", Weights.INT8, 1);
        String text = "Grüße, 世界! \n\t~\u00ad\u0001 w299";
        try (var tokenizer = HuggingFaceTokenizer.newInstance(bundle.file("tokenizer.json"))) {
            long[] ids = tokenizer.encode(text, false, false).getIds();
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            assertThat(ids).hasSize(bytes.length);
            for (int i = 0; i < bytes.length; i++) {
                assertThat(ids[i]).isEqualTo(bytes[i] & 0xff);
            }
            assertThat(tokenizer.decode(ids)).isEqualTo(text);
            assertThat(tokenizer.decode(new long[] {256, 298}, true)).isEqualTo(" w256 w298");
            assertThat(tokenizer.decode(new long[] {299}, true)).isEmpty();
        }
        assertThat(bundle.manifest().eosTokenIds()).containsExactly(299);
    }

    @Test
    void bundlesThatTheDiskHasNoRoomForAreRefused() throws Exception {
        Path source = HfFolder.of("llama")
                .with("hidden_size", "1048576")
                .with("intermediate_size", "1048576")
                .with("num_hidden_layers", "1000")
                .with("vocab_size", "4000000")
                .writeConfig(folder.resolve("source"));
        assertThatThrownBy(() ->
                        new Synthesizer().run(source, folder.resolve("x"), Weights.INT8, 1, ProgressListener.none()))
                .isInstanceOf(ImportException.class)
                .hasMessageContaining("bytes are free, the bundle takes ");
        assertThat(folder.resolve("x")).doesNotExist();
    }

    private Bundle synthesized(String name, Weights weights, long seed) throws Exception {
        Path config = HfFolder.of("qwen3").with("vocab_size", "300").writeConfig(folder.resolve("source"));
        new Synthesizer().run(config, folder.resolve(name), weights, seed, ProgressListener.none());
        return Bundle.open(folder.resolve(name));
    }
}
