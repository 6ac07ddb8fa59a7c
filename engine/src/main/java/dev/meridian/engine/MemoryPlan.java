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
    /** What Meridian's operators keep for quantised activations and attention: eight pieces of at most 8 MiB, rarely full. */
    private static final long KERNEL_SCRATCH_BYTES = 32L << 20;

    /** Divides {@code budgetBytes}. Throws BundleException, with the numbers, where not even one chunk's KV cache is left. */
    static MemoryPlan of(Bundle bundle, RunnerSettings runner, long budgetBytes) {
        long weights = runner.weightBytes(bundle.manifest());
        long scratch = scratchBytes(bundle, runner);
        long buffers = bufferBytes(bundle, runner);
        long left = budgetBytes - weights - scratch - buffers;
        long least = runner.kvBytes(bundle.manifest(), Math.min(runner.prefillChunk(), runner.contextTokens()));
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
        RunnerSettings runner = settings.runner().within(bundle.manifest());
        return runner.weightBytes(bundle.manifest()) + scratchBytes(bundle, runner) + bufferBytes(bundle, runner);
    }

    /** The same with the KV cache of one sequence of {@code tokens}. */
    public static long leastBytes(Bundle bundle, ModelSettings settings, int tokens) {
        return fixedBytes(bundle, settings)
                + settings.runner().within(bundle.manifest()).kvBytes(bundle.manifest(), tokens);
    }

    /** A row of float32 logits for each slot; of a ready-made graph also one for each token of a prefill chunk. */
    private static long bufferBytes(Bundle bundle, RunnerSettings runner) {
        int rows = runner.slots() + (bundle.manifest().graph() == null ? 0 : runner.prefillChunk());
        return FLOAT_BYTES * rows * bundle.manifest().shape().vocabSize();
    }

    /**
     * Activations of the larger of a prefill chunk and a full decode step: attention scores of every head over the whole
     * context, as ONNX Runtime's GroupQueryAttention allocates them, and a layer's widest intermediate results. The bundle's
     * own estimate, made for default settings, is the least. A ready-made graph writes a sequence's whole caches anew
     * beside the old ones, one sequence at a time, and has its scores three times: as products, masked, and as softmax.
     * Meridian's own attention has none.
     */
    private static long scratchBytes(Bundle bundle, RunnerSettings runner) {
        ModelShape shape = bundle.manifest().shape();
        if (bundle.manifest().graph() != null) {
            long row = 3L * shape.heads() * runner.contextTokens()
                    + 3L * shape.intermediateSize()
                    + 6L * shape.hiddenSize();
            return runner.kvBytes(bundle.manifest(), runner.contextTokens())
                    + FLOAT_BYTES * runner.prefillChunk() * row;
        }
        long rows = Math.max(runner.slots(), runner.prefillChunk());
        if (runner.usesKernels(bundle.manifest())) {
            // Decode and prefill in one pass, and no scores but those of a tile.
            rows = (long) runner.slots() + runner.prefillChunk();
            return KERNEL_SCRATCH_BYTES
                    + FLOAT_BYTES * rows * (3L * shape.intermediateSize() + 6L * shape.hiddenSize());
        }
        long scores = rows * shape.heads() * runner.contextTokens();
        long layer = rows * (3L * shape.intermediateSize() + 6L * shape.hiddenSize());
        return Math.max(bundle.manifest().memory().scratchBytes(), FLOAT_BYTES * (scores + layer));
    }
}
