package dev.meridian.engine;

import com.typesafe.config.Config;
import dev.meridian.engine.kernels.KernelLibrary;
import dev.meridian.engine.onnx.RunnerSettings;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * {@code meridian.engine}; see reference.conf.
 *
 * @param memoryBudgetBytes native bytes for all models of the node together
 * @param slots sequences of one model that decode together
 * @param contextTokens positions of a sequence
 * @param prefillChunk the most prompt tokens of a step
 * @param queueCapacity sequences that may wait for a slot
 * @param threads of one forward pass
 * @param kernels whose operators bundles of quantised weights run on
 * @param fairness how the model is divided among those who wait
 * @param prefixCaching whether KV caches outlive their sequences
 * @param speculativeTokens the most tokens of a sequence that are guessed and checked in one pass
 */
public record ModelSettings(
        long memoryBudgetBytes,
        int slots,
        int contextTokens,
        int prefillChunk,
        int queueCapacity,
        int threads,
        Kernels kernels,
        Fairness fairness,
        PrefixCaching prefixCaching,
        int speculativeTokens) {
    public ModelSettings {
        if (memoryBudgetBytes < 1
                || slots < 1
                || contextTokens < 2
                || prefillChunk < 1
                || queueCapacity < 1
                || threads < 1) {
            throw new IllegalArgumentException(
                    "meridian.engine: every value must be positive, and context at least 2: memory-budget "
                            + memoryBudgetBytes + ", slots " + slots + ", context " + contextTokens + ", prefill-chunk "
                            + prefillChunk + ", queue-capacity " + queueCapacity + ", threads " + threads);
        }
    }

    /** Whose operators bundles of quantised weights run on. */
    public enum Kernels {
        /** Meridian's own, where there is a library of them for this machine. */
        AUTO,
        /** ONNX Runtime's. */
        OFF;

        /** {@code auto} or {@code off}. Throws IllegalArgumentException for anything else, which says whose {@code key} it was. */
        public static Kernels named(String key, String word) {
            return switch (word) {
                case "auto" -> AUTO;
                case "off" -> OFF;
                default -> throw new IllegalArgumentException(key + " is '" + word + "', expected auto or off");
            };
        }

        /** The code that computes, such as {@code avx512vnni}; null for ONNX Runtime's. */
        public @Nullable String path() {
            return available().map(KernelLibrary.Available::path).orElse(null);
        }

        /** The file that these come from; empty for ONNX Runtime's. */
        public Optional<Path> library() {
            return available().map(KernelLibrary.Available::file);
        }

        private Optional<KernelLibrary.Available> available() {
            return this == AUTO && KernelLibrary.ofProcess() instanceof KernelLibrary.Available it
                    ? Optional.of(it)
                    : Optional.empty();
        }
    }

    /** For measurements: nothing is kept, nothing guessed. */
    public ModelSettings(
            long memoryBudgetBytes,
            int slots,
            int contextTokens,
            int prefillChunk,
            int queueCapacity,
            int threads,
            Kernels kernels,
            Fairness fairness) {
        this(
                memoryBudgetBytes,
                slots,
                contextTokens,
                prefillChunk,
                queueCapacity,
                threads,
                kernels,
                fairness,
                PrefixCaching.off(),
                0);
    }

    /** For an engine that one caller has for itself. */
    public ModelSettings(
            long memoryBudgetBytes, int slots, int contextTokens, int prefillChunk, int queueCapacity, int threads) {
        this(
                memoryBudgetBytes,
                slots,
                contextTokens,
                prefillChunk,
                queueCapacity,
                threads,
                Kernels.AUTO,
                Fairness.unreserved());
    }

    /**
     * Reads the whole configuration's {@code meridian.engine}.
     *
     * @param machineMemoryBytes what {@code auto} is half of
     * @param cores what 0 threads stands for
     */
    public static ModelSettings from(Config config, long machineMemoryBytes, int cores) {
        Config engine = config.getConfig("meridian.engine");
        boolean auto = engine.getString("memory-budget").equals("auto");
        int threads = engine.getInt("threads");
        return new ModelSettings(
                auto ? machineMemoryBytes / 2 : engine.getBytes("memory-budget"),
                engine.getInt("slots"),
                engine.getInt("context"),
                engine.getInt("prefill-chunk"),
                engine.getInt("queue-capacity"),
                threads == 0 ? cores : threads,
                Kernels.named("meridian.engine.kernels", engine.getString("kernels")),
                new Fairness(
                        engine.getDouble("step-stretch"),
                        engine.getInt("queue-reserve"),
                        new PriorityWeights(
                                engine.getInt("weights.priority"),
                                engine.getInt("weights.standard"),
                                engine.getInt("weights.flex"))),
                new PrefixCaching(
                        engine.getBoolean("prefix-cache.enabled"),
                        engine.getInt("prefix-cache.slots"),
                        engine.getBoolean("prefix-cache.across-keys")),
                engine.getInt("speculative-tokens"));
    }

    RunnerSettings runner() {
        return new RunnerSettings(
                slots, prefixCaching.slotsToKeep(), contextTokens, prefillChunk, threads, kernels.library());
    }

    /** The same with another budget: a node divides its own among its models. */
    public ModelSettings withMemoryBudget(long bytes) {
        return new ModelSettings(
                bytes,
                slots,
                contextTokens,
                prefillChunk,
                queueCapacity,
                threads,
                kernels,
                fairness,
                prefixCaching,
                speculativeTokens);
    }

    /** The same with other operators: measurements compare them. */
    public ModelSettings withKernels(Kernels other) {
        return new ModelSettings(
                memoryBudgetBytes,
                slots,
                contextTokens,
                prefillChunk,
                queueCapacity,
                threads,
                other,
                fairness,
                prefixCaching,
                speculativeTokens);
    }
}
