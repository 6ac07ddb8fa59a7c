package dev.meridian.engine;

import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleException;
import dev.meridian.engine.bundle.BundleManifest.ModelShape;
import dev.meridian.engine.onnx.RunnerSettings;

/**
 * How a model's share of the memory budget is spent, in bytes.
 *
 * @param weightBytes the weights as loaded
 * @param scratchBytes activations
 * @param bufferBytes token ids in, logits out
 * @param kvBudgetBytes what is left for KV caches
 */
public record MemoryPlan(long weightBytes, long scratchBytes, long bufferBytes, long kvBudgetBytes) {
    private static final long FLOAT_BYTES = 4;

    /** Divides {@code budgetBytes}. Throws BundleException, with the numbers, where not even one chunk's KV cache is left. */
    static MemoryPlan of(Bundle bundle, RunnerSettings runner, long budgetBytes) {
        long weights = bundle.manifest().memory().weightBytes();
        long scratch = scratchBytes(bundle, runner);
        long buffers = bufferBytes(bundle, runner);
        long left = budgetBytes - weights - scratch - buffers;
        long least = RunnerSettings.kvBytes(
                bundle.manifest().shape(), Math.min(runner.prefillChunk(), runner.contextTokens()));
        if (left < least) {
            throw new BundleException(bundle.id() + ": does not fit its memory budget of " + budgetBytes
                    + " bytes: weights " + weights + ", activations " + scratch + ", buffers " + buffers
                    + ", and at least " + least
                    + " for KV caches; raise meridian.engine.memory-budget or serve fewer models");
        }
        return new MemoryPlan(weights, scratch, buffers, left);
    }

    /** What a bundle takes before its first token. */
    public static long fixedBytes(Bundle bundle, ModelSettings settings) {
        RunnerSettings runner = settings.runner().within(bundle.manifest().shape());
        return bundle.manifest().memory().weightBytes() + scratchBytes(bundle, runner) + bufferBytes(bundle, runner);
    }

    /** A row of float32 logits for each slot. */
    private static long bufferBytes(Bundle bundle, RunnerSettings runner) {
        return FLOAT_BYTES * runner.slots() * bundle.manifest().shape().vocabSize();
    }

    /**
     * Activations of the larger of a prefill chunk and a full decode step: attention scores of every head over the whole
     * context, as ONNX Runtime's GroupQueryAttention allocates them, and a layer's widest intermediate results. The bundle's
     * own estimate, made for default settings, is the least.
     */
    private static long scratchBytes(Bundle bundle, RunnerSettings runner) {
        ModelShape shape = bundle.manifest().shape();
        long rows = Math.max(runner.slots(), runner.prefillChunk());
        long scores = rows * shape.heads() * runner.contextTokens();
        long layer = rows * (3L * shape.intermediateSize() + 6L * shape.hiddenSize());
        return Math.max(bundle.manifest().memory().scratchBytes(), FLOAT_BYTES * (scores + layer));
    }
}
