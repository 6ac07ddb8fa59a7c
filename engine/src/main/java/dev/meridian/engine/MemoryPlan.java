package dev.meridian.engine;

import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleException;
import dev.meridian.engine.bundle.BundleManifest.MemoryNeed;
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
    /** Divides {@code budgetBytes}. Throws BundleException, with the numbers, where not even one chunk's KV cache is left. */
    static MemoryPlan of(Bundle bundle, RunnerSettings runner, long budgetBytes) {
        MemoryNeed need = bundle.manifest().memory();
        long buffers = bufferBytes(bundle, runner);
        long left = budgetBytes - need.weightBytes() - need.scratchBytes() - buffers;
        long least = need.kvBytesPerToken() * Math.min(runner.prefillChunk(), runner.contextTokens());
        if (left < least) {
            throw new BundleException(bundle.id() + ": does not fit its memory budget of " + budgetBytes
                    + " bytes: weights " + need.weightBytes() + ", activations " + need.scratchBytes() + ", buffers "
                    + buffers + ", and at least " + least
                    + " for KV caches; raise meridian.engine.memory-budget or serve fewer models");
        }
        return new MemoryPlan(need.weightBytes(), need.scratchBytes(), buffers, left);
    }

    /** What a bundle takes before its first token. */
    public static long fixedBytes(Bundle bundle, ModelSettings settings) {
        RunnerSettings runner = settings.runner().within(bundle.manifest().shape());
        MemoryNeed need = bundle.manifest().memory();
        return need.weightBytes() + need.scratchBytes() + bufferBytes(bundle, runner);
    }

    /** A row of float32 logits for each slot. */
    private static long bufferBytes(Bundle bundle, RunnerSettings runner) {
        return 4L * runner.slots() * bundle.manifest().shape().vocabSize();
    }
}
