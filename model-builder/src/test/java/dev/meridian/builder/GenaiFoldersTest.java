package dev.meridian.builder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.builder.quant.Weights;
import dev.meridian.builder.source.ImportException;
import dev.meridian.engine.ModelRunner;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.CheckedBundle;
import dev.meridian.engine.bundle.VerifiedFiles;
import dev.meridian.engine.onnx.GraphRunners;
import dev.meridian.engine.onnx.RunnerSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** onnxruntime-genai's test models, where they lie beside the checkout: each runs, or is refused by name. */
class GenaiFoldersTest {
    private static final String IMPORTS = "";
    private static final Path ALL = Path.of(System.getProperty("meridian.assets", ""), "llm", "genai-test-models");

    /** What the import says of each folder. */
    static final Map<String, String> FOLDERS = new TreeMap<>(Map.ofEntries(
            Map.entry("engine/dummy-decoder", "tokenizer.json: no such file"),
            Map.entry("engine/synthetic-paged", "takes 'block_table': its caches are paged"),
            Map.entry("gemma4", "a model of type 'gemma4' is made of several graphs (embedding, speech, vision"),
            Map.entry("hf-internal-testing/tiny-qwen35-cuda", "made for the execution provider 'cuda'"),
            Map.entry("hf-internal-testing/tiny-random-gpt2-fp16-cuda", "made for the execution provider 'cuda'"),
            Map.entry("hf-internal-testing/tiny-random-gpt2-fp32-cuda", "made for the execution provider 'cuda'"),
            Map.entry("hf-internal-testing/tiny-random-gpt2-fp32", IMPORTS),
            Map.entry("hf-internal-testing/tiny-random-lfm2-fp32", "takes 'past_conv.0': the state of a convolution"),
            Map.entry("marian-batch", "a model of type 'marian-ssru' has an encoder"),
            Map.entry("marian-batch-beams", "a model of type 'marian-ssru' has an encoder"),
            Map.entry("marian-batch-values", "a model of type 'marian-ssru' has an encoder"),
            Map.entry("mistral3", "config.json: no such file"),
            Map.entry("multimodal-decoder-no-input-ids", "of type 'phi3v' is made of several graphs"),
            Map.entry("multimodal-decoder-with-input-ids", "of type 'phi3v' is made of several graphs"),
            Map.entry("phi3-v", "a model of type 'phi3v' is made of several graphs (embedding, vision"),
            Map.entry("pipeline-model", "has a decoder that is a pipeline of several graphs"),
            Map.entry("qwen2-5-vl", "a model of type 'qwen2_5_vl' is made of several graphs"),
            Map.entry("qwen3-5", "a model of type 'qwen3_5' is made of several graphs"),
            Map.entry("qwen3-vl", "a model of type 'qwen3_vl' is made of several graphs"),
            Map.entry("whisper", "a model of type 'whisper' has an encoder")));

    @TempDir
    Path folder;

    @Test
    void everyFolderHasItsExpectation() throws IOException {
        Assumptions.assumeTrue(Files.isDirectory(ALL), "no genai-test-models beside the checkout");
        try (var files = Files.walk(ALL)) {
            assertThat(files.filter(file -> file.getFileName().toString().endsWith(".json"))
                            .map(file -> ALL.relativize(file.getParent()).toString())
                            .distinct())
                    .containsExactlyInAnyOrderElementsOf(FOLDERS.keySet());
        }
    }

    static final java.util.Set<String> NAMES = FOLDERS.keySet();

    @ParameterizedTest
    @FieldSource("NAMES")
    void importsAndRunsOrIsRefusedByName(String name) throws Exception {
        Path source = ALL.resolve(name);
        Assumptions.assumeTrue(Files.isDirectory(source), "no genai-test-models beside the checkout");
        String expected = java.util.Objects.requireNonNull(FOLDERS.get(name));
        ImportRequest request = new ImportRequest(source, folder.resolve("out"), Weights.INT8, KvType.F32);
        if (!expected.equals(IMPORTS)) {
            assertThatThrownBy(() -> new Importer().run(request, ProgressListener.none()))
                    .isInstanceOf(ImportException.class)
                    .hasMessageContaining(expected);
            assertThat(folder.resolve("out")).doesNotExist();
            return;
        }
        new Importer().run(request, ProgressListener.none());
        Bundle bundle = Bundle.open(folder.resolve("out"));
        int vocab = bundle.manifest().shape().vocabSize();
        try (ModelRunner runner =
                GraphRunners.open(CheckedBundle.of(bundle, VerifiedFiles.none()), new RunnerSettings(2, 64, 16, 1))) {
            int[] tokens = TestBundles.tokens(20, vocab, 4);
            float[] inOne = logits(runner, tokens, 16);
            float[] byToken = logits(runner, tokens, 1);
            assertThat(inOne).isNotEqualTo(new float[vocab]);
            for (int i = 0; i < vocab; i++) {
                assertThat(byToken[i]).isCloseTo(inOne[i], org.assertj.core.api.Assertions.within(1e-4f));
            }
        }
    }

    /** It has no operators at all: its caches are constants, which only a trial can tell. */
    @Test
    void aGraphWhoseCachesDoNotGrowIsRefusedWhenItIsLoaded() throws Exception {
        Path source = folder.resolve("source");
        Assumptions.assumeTrue(Files.isDirectory(ALL), "no genai-test-models beside the checkout");
        Files.createDirectories(source);
        for (String name : java.util.List.of("decoder.onnx", "genai_config.json")) {
            Files.copy(ALL.resolve("engine/dummy-decoder").resolve(name), source.resolve(name));
        }
        ByteTokenizer.write(source.resolve("tokenizer.json"), ByteTokenizer.MIN_VOCABULARY);
        Path out = folder.resolve("out");
        new Importer().run(new ImportRequest(source, out, Weights.INT8, KvType.F32), ProgressListener.none());
        CheckedBundle checked = CheckedBundle.of(Bundle.open(out), VerifiedFiles.none());
        assertThatThrownBy(() -> GraphRunners.open(checked, new RunnerSettings(1, 64, 16, 1)))
                .isInstanceOf(dev.meridian.engine.bundle.BundleException.class)
                .hasMessageContaining("after 2 tokens");
    }

    private static float[] logits(ModelRunner runner, int[] tokens, int chunk) {
        for (int at = 0; at < tokens.length; at += chunk) {
            runner.prefill(0, at, tokens, at, Math.min(chunk, tokens.length - at), true);
        }
        float[] logits = new float[runner.vocabSize()];
        runner.logits(0, logits);
        runner.releaseSlot(0, tokens.length);
        return logits;
    }
}
