package dev.meridian.engine.onnx;

import dev.meridian.engine.bundle.BundleException;
import dev.meridian.engine.bundle.BundleManifest;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Dimensions of a runner.
 *
 * @param slots sequences that decode together
 * @param keptSlots further slots, in which nothing decodes
 * @param contextTokens positions of a slot
 * @param prefillChunk the most tokens of one prefill call
 * @param threads ONNX Runtime's threads for one forward pass
 * @param kernels the library of Meridian's own operators, which packed bundles then use; without it they run on ONNX Runtime's
 * @param profile beginning of the name of a file into which ONNX Runtime writes how long each operator took; for measurements
 */
public record RunnerSettings(
        int slots,
        int keptSlots,
        int contextTokens,
        int prefillChunk,
        int threads,
        Optional<Path> kernels,
        Optional<Path> profile) {
    public RunnerSettings {
        if (slots < 1 || keptSlots < 0 || contextTokens < 2 || prefillChunk < 1 || threads < 1) {
            throw new IllegalArgumentException("slots " + slots + ", keptSlots " + keptSlots + ", contextTokens "
                    + contextTokens + ", prefillChunk " + prefillChunk + ", threads " + threads + ": out of range");
        }
    }

    /** Without a profile. */
    public RunnerSettings(
            int slots, int keptSlots, int contextTokens, int prefillChunk, int threads, Optional<Path> kernels) {
        this(slots, keptSlots, contextTokens, prefillChunk, threads, kernels, Optional.empty());
    }

    /** Without Meridian's own operators. */
    public RunnerSettings(int slots, int contextTokens, int prefillChunk, int threads) {
        this(slots, contextTokens, prefillChunk, threads, Optional.empty());
    }

    /** Without further slots. */
    public RunnerSettings(int slots, int contextTokens, int prefillChunk, int threads, Optional<Path> kernels) {
        this(slots, 0, contextTokens, prefillChunk, threads, kernels);
    }

    /** Whether a bundle's graph of Meridian's own operators is the one to load. */
    public boolean usesKernels(BundleManifest manifest) {
        return kernels.isPresent() && manifest.packing() != null;
    }

    /** Native bytes of a bundle's weights as loaded. */
    public long weightBytes(BundleManifest manifest) {
        Long mapped = manifest.memory().mappedWeightBytes();
        return usesKernels(manifest) && mapped != null
                ? mapped
                : manifest.memory().weightBytes();
    }

    /** Native bytes that a slot of {@code tokens} positions commits. */
    public long kvBytes(BundleManifest manifest, int tokens) {
        return manifest.graph() == null
                ? layout(manifest).bytes(tokens)
                : tokens * manifest.memory().kvBytesPerToken();
    }

    private KvLayout layout(BundleManifest manifest) {
        return usesKernels(manifest) ? KvLayout.halves(manifest.shape()) : KvLayout.floats(manifest.shape());
    }

    /**
     * These settings as far as a model and one buffer's 2 GiB allow: the context is at most the model's own, and slots are
     * fewer where a layer's keys would not fit, the further ones first. A ready-made graph has none of those.
     */
    public RunnerSettings within(BundleManifest manifest) {
        // A ready-made graph's caches are tensors of their own, as long as their sequence is.
        return manifest.graph() == null
                ? within(layout(manifest))
                : with(slots, 0, Math.min(contextTokens, manifest.shape().contextTokens()));
    }

    RunnerSettings within(KvLayout layout) {
        int context = Math.min(contextTokens, layout.shape().contextTokens());
        int fitting = layout.slotsThatFit(context);
        if (fitting < 1) {
            throw new BundleException(
                    "one slot of " + context + " tokens needs more than 2 GiB of keys per layer; lower the context");
        }
        int rows = Math.min(slots, fitting);
        return with(rows, Math.min(keptSlots, fitting - rows), context);
    }

    private RunnerSettings with(int ownSlots, int ownKeptSlots, int ownContext) {
        return new RunnerSettings(ownSlots, ownKeptSlots, ownContext, prefillChunk, threads, kernels, profile);
    }

    /** The same, and profiled. */
    public RunnerSettings withProfile(Path prefix) {
        return new RunnerSettings(slots, keptSlots, contextTokens, prefillChunk, threads, kernels, Optional.of(prefix));
    }
}
