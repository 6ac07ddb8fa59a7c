package dev.meridian.builder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.builder.quant.Weights;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.CheckedBundle;
import dev.meridian.engine.bundle.VerifiedFiles;
import dev.meridian.engine.onnx.OnnxModelRunner;
import dev.meridian.engine.onnx.RunnerSettings;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
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
                List<double[]> expected = reference.logits(Arrays.copyOf(tokens, positions[slot]));
                assertAgrees(runner, 0, expected.getLast());
            }
            runner.decode(3, last, positions);
            for (int slot = 0; slot < 3; slot++) {
                assertAgrees(runner, slot, reference.logits(sequences[slot]).getLast());
            }
        }
    }

    /** What follows copied and shortened slots, in one that never decodes too, is what follows a prompt that was run. */
    @Test
    void copiedAndShortenedSlotsGoOnAsTheOnesThatWereRun() throws Exception {
        Path source = HfFolder.of("qwen3").write(folder.resolve("source"), 22);
        Bundle bundle = TestBundles.imported(source, folder.resolve("bundle"), Weights.F32);
        ReferenceModel reference = ReferenceModel.load(source);
        int[] first = TestBundles.tokens(40, 97, 4);
        int[] second = first.clone();
        System.arraycopy(TestBundles.tokens(10, 97, 5), 0, second, 25, 10);
        int[] third = first.clone();
        third[30] = (first[30] + 1) % 97;
        RunnerSettings settings = new RunnerSettings(2, 1, 64, 16, 2, Optional.empty());
        try (OnnxModelRunner runner = OnnxModelRunner.open(CheckedBundle.of(bundle, VerifiedFiles.none()), settings)) {
            assertThat(runner.copiesSlots()).isTrue();
            for (int at = 0; at < 40; at += 16) {
                runner.prefill(0, at, first, at, Math.min(16, 40 - at), false);
            }
            runner.copySlot(0, 2, 25);
            runner.prefill(2, 25, second, 25, 10, true);
            assertAgrees(runner, 0, reference.logits(Arrays.copyOf(second, 35)).getLast());
            runner.shrinkSlot(0, 40, 30);
            runner.prefill(0, 30, third, 30, 9, false);
            runner.moveSlot(2, 1, 35);
            runner.decode(2, new int[] {third[39], second[35]}, new int[] {39, 35});
            assertAgrees(runner, 0, reference.logits(third).getLast());
            assertAgrees(runner, 1, reference.logits(Arrays.copyOf(second, 36)).getLast());
            assertThatThrownBy(() -> runner.prefill(3, 0, first, 0, 1, false))
                    .isInstanceOf(IllegalArgumentException.class);
            runner.releaseSlot(0, 40);
        }
    }

    private static void assertAgrees(OnnxModelRunner runner, int row, double[] expected) {
        float[] logits = new float[runner.vocabSize()];
        runner.logits(row, logits);
        assertThat(TestBundles.difference(new float[][] {logits}, List.of(expected)))
                .isLessThan(1e-3);
    }
}
