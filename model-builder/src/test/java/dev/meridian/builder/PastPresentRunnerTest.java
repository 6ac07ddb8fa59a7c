package dev.meridian.builder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.builder.graph.TinyDecoder;
import dev.meridian.builder.graph.TinyDecoder.Form;
import dev.meridian.engine.MemoryPlan;
import dev.meridian.engine.ModelRunner;
import dev.meridian.engine.ModelSettings;
import dev.meridian.engine.bundle.BundleException;
import dev.meridian.engine.bundle.CheckedBundle;
import dev.meridian.engine.bundle.VerifiedFiles;
import dev.meridian.engine.onnx.GraphRunners;
import dev.meridian.engine.onnx.RunnerSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** The runner of ready-made decoders over graphs of every form, against loops in double precision. */
class PastPresentRunnerTest {
    private static final int VOCAB = 40;
    private static final RunnerSettings SETTINGS = new RunnerSettings(3, 32, 8, 1);

    static final List<Form> FORMS = List.of(
            Form.PLAIN,
            new Form(false, true, true, false, false, false, false),
            new Form(true, false, true, false, false, false, false),
            new Form(true, true, false, false, false, false, false),
            new Form(true, false, false, false, false, false, false),
            new Form(true, true, true, true, false, false, false),
            new Form(true, true, true, true, true, true, false),
            new Form(false, true, true, false, false, false, true),
            new Form(true, false, false, true, true, false, true));

    @TempDir
    Path folder;

    private ModelRunner open(TinyDecoder decoder, Form form) throws IOException {
        return GraphRunners.open(
                CheckedBundle.of(TinyBundles.write(folder.resolve("tiny"), decoder, form, VOCAB), VerifiedFiles.none()),
                SETTINGS);
    }

    @ParameterizedTest
    @FieldSource("FORMS")
    void prefillInChunksAndDecodeAgreeWithTheReferenceWhereverASequenceLies(Form form) throws IOException {
        TinyDecoder decoder = new TinyDecoder(form, VOCAB, 5);
        double tolerance = form.halfLogits() ? 2e-2 : form.halfCache() ? 2e-3 : 1e-4;
        int[][] sequences = {
            TestBundles.tokens(12, VOCAB, 1), TestBundles.tokens(20, VOCAB, 2), TestBundles.tokens(30, VOCAB, 3)
        };
        try (ModelRunner runner = open(decoder, form)) {
            int[] last = new int[3];
            int[] positions = new int[3];
            for (int slot = 0; slot < 3; slot++) {
                int[] tokens = sequences[slot];
                positions[slot] = tokens.length - 1;
                last[slot] = tokens[positions[slot]];
                for (int at = 0; at < positions[slot]; at += 8) {
                    runner.prefill(slot, at, tokens, at, Math.min(8, positions[slot] - at), true);
                }
                assertAgrees(runner, 0, decoder.logits(Arrays.copyOf(tokens, positions[slot])), tolerance);
            }
            runner.decode(3, last, positions);
            for (int slot = 0; slot < 3; slot++) {
                assertAgrees(runner, slot, decoder.logits(sequences[slot]), tolerance);
            }
            // The first sequence ends, and the last takes its slot.
            runner.releaseSlot(0, 12);
            runner.moveSlot(2, 0, 30);
            runner.decode(2, new int[] {7, 9}, new int[] {30, 20});
            assertAgrees(runner, 0, decoder.logits(with(sequences[2], 7)), tolerance);
            assertAgrees(runner, 1, decoder.logits(with(sequences[1], 9)), tolerance);
            runner.swapSlots(0, 31, 1, 21);
            runner.decode(2, new int[] {11, 13}, new int[] {21, 31});
            assertAgrees(runner, 0, decoder.logits(with(with(sequences[1], 9), 11)), tolerance);
            assertAgrees(runner, 1, decoder.logits(with(with(sequences[2], 7), 13)), tolerance);
            // The slot that became free starts from nothing.
            runner.prefill(2, 0, sequences[0], 0, 5, true);
            assertAgrees(runner, 0, decoder.logits(Arrays.copyOf(sequences[0], 5)), tolerance);
        }
    }

    @Test
    void kvBytesAreThoseOfTheCaches() throws IOException {
        Form half = new Form(true, true, true, true, false, false, false);
        try (ModelRunner runner = open(new TinyDecoder(half, VOCAB, 5), half)) {
            assertThat(runner.kvBytes(10)).isEqualTo(10L * 2 * 2 * 2 * 4 * 2);
        }
    }

    @Test
    void theMemoryPlanCountsTheCopyOfOneSequenceAndAChunkOfLogits() throws IOException {
        var bundle =
                TinyBundles.write(folder.resolve("tiny"), new TinyDecoder(Form.PLAIN, VOCAB, 5), Form.PLAIN, VOCAB);
        long fixed = MemoryPlan.fixedBytes(bundle, new ModelSettings(1 << 20, 3, 32, 8, 1, 1));
        long scores = 4L * 8 * (3 * 2 * 32 + 3 * 8 + 6 * 8);
        assertThat(fixed)
                .isEqualTo(bundle.manifest().memory().weightBytes() + 32 * 128 + scores + 4L * (3 + 8) * VOCAB);
    }

    @Test
    void aSlotTakesOnlyTheTokenThatFollows() throws IOException {
        try (ModelRunner runner = open(new TinyDecoder(Form.PLAIN, VOCAB, 5), Form.PLAIN)) {
            runner.prefill(0, 0, new int[] {1, 2, 3}, 0, 3, true);
            assertThatThrownBy(() -> runner.decode(1, new int[] {4}, new int[] {4}))
                    .hasMessageContaining("slot 0 holds 3 tokens, not 4");
            assertThatThrownBy(() -> runner.releaseSlot(0, 2)).hasMessageContaining("does not hold 2 tokens");
            assertThatThrownBy(() -> runner.swapSlots(0, 3, 1, 2))
                    .hasMessageContaining("slot 1 does not hold 2 tokens");
            assertThatThrownBy(() -> runner.moveSlot(1, 2, 3)).hasMessageContaining("does not hold 3 tokens");
        }
    }

    @Test
    void aGraphThatTakesMoreThanTheManifestSaysIsRefused() throws IOException {
        TinyDecoder decoder = new TinyDecoder(Form.PLAIN, VOCAB, 5);
        Form without = new Form(true, true, false, false, false, false, false);
        var bundle = TinyBundles.write(folder.resolve("tiny"), decoder, without, VOCAB);
        assertThatThrownBy(() -> CheckedBundle.of(bundle, VerifiedFiles.none()))
                .isInstanceOf(BundleException.class)
                .hasMessageContaining("takes 'position_ids', which nobody gives it");
    }

    private static int[] with(int[] tokens, int next) {
        int[] all = Arrays.copyOf(tokens, tokens.length + 1);
        all[tokens.length] = next;
        return all;
    }

    private static void assertAgrees(ModelRunner runner, int row, double[] expected, double tolerance) {
        float[] logits = new float[runner.vocabSize()];
        runner.logits(row, logits);
        assertThat(TestBundles.difference(new float[][] {logits}, List.of(expected)))
                .isLessThan(tolerance);
    }
}
