package dev.meridian.builder;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.builder.quant.Weights;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.CheckedBundle;
import dev.meridian.engine.bundle.VerifiedFiles;
import dev.meridian.engine.onnx.OnnxModelRunner;
import dev.meridian.engine.onnx.RunnerSettings;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The engine's own runner over an imported bundle: both keep the graph's contract. */
class RunnerTest {
    @TempDir
    Path folder;

    @Test
    void prefillInChunksAndBatchedDecodeAgreeWithTheReference() throws Exception {
        Path source = HfFolder.of("qwen3").write(folder.resolve("source"), 21);
        Bundle bundle = TestBundles.imported(source, folder.resolve("bundle"), Weights.F32);
        ReferenceModel reference = ReferenceModel.load(source);
        int[][] sequences = {TestBundles.tokens(12, 97, 1), TestBundles.tokens(20, 97, 2), TestBundles.tokens(30, 97, 3)
        };
        try (OnnxModelRunner runner =
                OnnxModelRunner.open(CheckedBundle.of(bundle, VerifiedFiles.none()), new RunnerSettings(3, 64, 8, 2))) {
            int[] last = new int[3];
            int[] positions = new int[3];
            for (int slot = 0; slot < 3; slot++) {
                int[] tokens = sequences[slot];
                positions[slot] = tokens.length - 1;
                last[slot] = tokens[positions[slot]];
                for (int at = 0; at < positions[slot]; at += 8) {
                    runner.prefill(slot, at, tokens, at, Math.min(8, positions[slot] - at), true);
                }
                List<double[]> expected = reference.logits(java.util.Arrays.copyOf(tokens, positions[slot]));
                assertAgrees(runner, 0, expected.getLast());
            }
            runner.decode(3, last, positions);
            for (int slot = 0; slot < 3; slot++) {
                assertAgrees(runner, slot, reference.logits(sequences[slot]).getLast());
            }
        }
    }

    private static void assertAgrees(OnnxModelRunner runner, int row, double[] expected) {
        float[] logits = new float[runner.vocabSize()];
        runner.logits(row, logits);
        assertThat(TestBundles.difference(new float[][] {logits}, List.of(expected)))
                .isLessThan(1e-3);
    }
}
