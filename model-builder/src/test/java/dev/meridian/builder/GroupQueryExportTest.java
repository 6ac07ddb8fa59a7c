package dev.meridian.builder;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.builder.graph.GroupQueryExport;
import dev.meridian.builder.quant.Weights;
import dev.meridian.engine.ModelRunner;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.CheckedBundle;
import dev.meridian.engine.bundle.OnnxFile;
import dev.meridian.engine.bundle.VerifiedFiles;
import dev.meridian.engine.onnx.GraphRunners;
import dev.meridian.engine.onnx.RunnerSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A decoder with GroupQueryAttention in onnxruntime-genai's layout, from folder to logits: caches that grow go through an
 * operator that our own layout lets write in place.
 */
class GroupQueryExportTest {
    private static final double FLOAT_TOLERANCE = 1e-3;
    /** Of activations that are rounded to int8, as in {@link QuantizedGraphTest}. */
    private static final double ACTIVATION_ERROR = 0.03;

    private static final int CHUNK = 8;

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"F32, llama, false", "F32, qwen2, true", "F32, qwen3, false", "INT4, llama, false", "INT8, qwen3, true"
    })
    void agreesWithTheReferenceInChunksAndTokenByToken(Weights weights, String family, boolean tied) throws Exception {
        Path source = HfFolder.of(family)
                .with("tie_word_embeddings", Boolean.toString(tied))
                .write(folder.resolve("source"), 31);
        ReferenceModel reference =
                weights == Weights.F32 ? ReferenceModel.load(source) : QuantizedGraphTest.dequantised(source, weights);
        Bundle bundle = exported(source, weights);
        int[][] sequences = {TestBundles.tokens(9, 97, 1), TestBundles.tokens(17, 97, 2), TestBundles.tokens(40, 97, 3)
        };
        try (ModelRunner runner = GraphRunners.open(
                CheckedBundle.of(bundle, VerifiedFiles.none()), new RunnerSettings(3, 64, CHUNK, 1))) {
            List<List<double[]>> expected =
                    Arrays.stream(sequences).map(reference::logits).toList();
            int decoded = 4;
            int[] positions = new int[3];
            for (int slot = 0; slot < 3; slot++) {
                positions[slot] = sequences[slot].length - decoded;
                prefill(runner, slot, sequences[slot], positions[slot]);
                assertAgrees(runner, 0, expected.get(slot).get(positions[slot] - 1), weights);
            }
            for (int step = 0; step < decoded; step++) {
                int[] next = new int[3];
                for (int slot = 0; slot < 3; slot++) {
                    next[slot] = sequences[slot][positions[slot]];
                }
                runner.decode(3, next, positions);
                for (int slot = 0; slot < 3; slot++) {
                    assertAgrees(runner, slot, expected.get(slot).get(positions[slot]), weights);
                    positions[slot]++;
                }
            }
        }
    }

    private Bundle exported(Path source, Weights weights) throws Exception {
        Path genai = folder.resolve("genai");
        GroupQueryExport.write(TestBundles.unpacked(source, folder.resolve("own"), weights), genai);
        Files.copy(source.resolve("tokenizer.json"), genai.resolve("tokenizer.json"));
        Bundle bundle = TestBundles.imported(genai, folder.resolve("bundle"), Weights.INT8);
        assertThat(bundle.manifest().graph()).as("a ready-made graph").isNotNull();
        assertThat(bundle.manifest().weights()).isEqualTo(weights.label());
        Map<String, Long> operators = OnnxFile.map(bundle.file("model.onnx")).graph().nodes().stream()
                .collect(java.util.stream.Collectors.groupingBy(
                        OnnxFile.Node::operator, java.util.stream.Collectors.counting()));
        assertThat(operators).containsEntry("GroupQueryAttention", 2L);
        return bundle;
    }

    private static void prefill(ModelRunner runner, int slot, int[] tokens, int count) {
        for (int at = 0; at < count; at += CHUNK) {
            runner.prefill(slot, at, tokens, at, Math.min(CHUNK, count - at), true);
        }
    }

    private static void assertAgrees(ModelRunner runner, int row, double[] expected, Weights weights) {
        float[][] logits = new float[1][runner.vocabSize()];
        runner.logits(row, logits[0]);
        if (weights == Weights.F32) {
            assertThat(TestBundles.difference(logits, List.of(expected))).isLessThan(FLOAT_TOLERANCE);
        } else {
            assertThat(TestBundles.relativeError(logits, List.of(expected))).isLessThan(ACTIVATION_ERROR);
        }
    }
}
