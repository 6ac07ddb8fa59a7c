package dev.meridian.builder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.meridian.builder.graph.AccuracyLevels;
import dev.meridian.builder.graph.TokenTables;
import dev.meridian.builder.quant.Dequantizer;
import dev.meridian.builder.quant.Weights;
import dev.meridian.builder.source.ConfigReader;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.CheckedBundle;
import dev.meridian.engine.bundle.VerifiedFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Quantised graphs against the reference that runs on the weights the codes stand for. */
class QuantizedGraphTest {
    /**
     * Both compute with the same weights, so only the rounding of activations to int8 is left: some 0.5 % a product.
     */
    private static final double ACTIVATION_ERROR = 0.03;

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({
        "INT8, llama, 64, true",
        "INT8, qwen2, 72, true",
        "INT8, qwen3, 72, false",
        "INT4, llama, 72, false",
        "INT4, qwen2, 64, true",
        "INT4, qwen3, 72, true"
    })
    void graphComputesWithTheWeightsThatTheCodesStandFor(Weights weights, String family, int hidden, boolean tied)
            throws Exception {
        Path source = HfFolder.of(family)
                .with("hidden_size", Integer.toString(hidden))
                .with("tie_word_embeddings", Boolean.toString(tied))
                .write(folder.resolve("source"), 5);
        Bundle bundle = TestBundles.imported(source, folder.resolve("bundle"), weights);
        int[] tokens = TestBundles.tokens(24, bundle.manifest().shape().vocabSize(), 3);
        List<double[]> expected = dequantised(source, weights).logits(tokens);
        try (GraphSession session = TestBundles.session(bundle, 2)) {
            assertThat(TestBundles.relativeError(TestBundles.inChunks(session, 0, tokens, 24), expected))
                    .as("in one go")
                    .isLessThan(ACTIVATION_ERROR);
            assertThat(TestBundles.relativeError(TestBundles.inChunks(session, 1, tokens, 1), expected))
                    .as("token by token")
                    .isLessThan(ACTIVATION_ERROR);
        }
        CheckedBundle checked = CheckedBundle.of(bundle, VerifiedFiles.none());
        TokenTables tables = tied ? TokenTables.tied(false) : TokenTables.separate();
        var config = ConfigReader.read(source.resolve("config.json"));
        Files.write(
                bundle.file("model.onnx"),
                AccuracyLevels.modelFile(config, weights, tables, 0).toByteArray());
        try (GraphSession session = TestBundles.session(checked, 1)) {
            assertThat(TestBundles.difference(TestBundles.inChunks(session, 0, tokens, 24), expected))
                    .as("with float32 activations")
                    .isLessThan(1e-3);
        }
    }

    @ParameterizedTest
    @EnumSource
    void rowsOfABatchEqualTheSameRowsAlone(Weights weights) throws Exception {
        Path source = HfFolder.of("qwen3").write(folder.resolve("source"), 11);
        Bundle bundle = TestBundles.imported(source, folder.resolve("bundle"), weights);
        // Float32 rows are bit-equal. On a CPU without AVX-512 the int4 kernels for one row and for more add in another
        // order.
        float tolerance = weights == Weights.F32 ? 0 : 1e-4f;
        int slots = 16;
        int[][] prompts = new int[slots][];
        int[][] next = new int[slots][1];
        int[] past = new int[slots];
        try (GraphSession session = TestBundles.session(bundle, slots)) {
            for (int slot = 0; slot < slots; slot++) {
                prompts[slot] = TestBundles.tokens(5 + slot, 97, slot);
                past[slot] = prompts[slot].length;
                next[slot][0] = slot + 20;
                TestBundles.inChunks(session, slot, prompts[slot], 64);
            }
            float[][] alone = new float[slots][];
            for (int slot = 0; slot < slots; slot++) {
                alone[slot] = session.run(slot, new int[][] {next[slot]}, new int[] {past[slot]}, 0)[0];
            }
            for (int batch = 1; batch <= slots; batch++) {
                float[][] together = session.run(
                        0,
                        java.util.Arrays.copyOf(next, batch),
                        java.util.Arrays.copyOf(past, batch),
                        java.util.stream.LongStream.range(0, batch).toArray());
                for (int row = 0; row < batch; row++) {
                    assertThat(together[row])
                            .as("row %d of %d", row, batch)
                            .containsExactly(alone[row], within(tolerance));
                }
            }
        }
    }

    static ReferenceModel dequantised(Path source, Weights weights) throws Exception {
        Map<String, double[]> tensors = new HashMap<>(SafetensorsReader.readAll(source));
        var config = ConfigReader.read(source.resolve("config.json"));
        tensors.replaceAll((name, values) -> {
            if (name.endsWith("norm.weight") || name.endsWith(".bias")) {
                return values;
            }
            int columns = name.contains("down_proj")
                    ? config.intermediateSize()
                    : name.contains("o_proj") ? config.queryWidth() : config.hiddenSize();
            return Dequantizer.roundTrip(weights, values, columns);
        });
        return ReferenceModel.of(source, tensors);
    }
}
