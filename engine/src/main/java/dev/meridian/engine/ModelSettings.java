package dev.meridian.engine;

import com.typesafe.config.Config;
import dev.meridian.engine.onnx.RunnerSettings;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * {@code meridian.engine}; see reference.conf.
 *
 * @param memoryBudgetBytes native bytes for all models of the node together
 * @param slots sequences of one model that decode together
 * @param contextTokens positions of a sequence
 * @param prefillChunk the most prompt tokens of a step
 * @param queueCapacity sequences that may wait for a slot
 * @param threads of one forward pass
 * @param kernels the library of Meridian's own operators, if it is to be used
 * @param fairness how the model is divided among those who wait
 */
public record ModelSettings(
        long memoryBudgetBytes,
        int slots,
        int contextTokens,
        int prefillChunk,
        int queueCapacity,
        int threads,
        Optional<Path> kernels,
        Fairness fairness) {
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
                Optional.empty(),
                Fairness.unreserved());
    }

    /**
     * Reads the whole configuration's {@code meridian.engine}.
     *
     * @param machineMemoryBytes what {@code auto} is half of
     * @param cores what 0 threads stands for
     */
    public static ModelSettings from(Config config, long machineMemoryBytes, int cores) {
        return from(config, machineMemoryBytes, cores, Optional::empty);
    }

    /**
     * The same where there may be a library of operators.
     *
     * @param library asked where {@code kernels} is {@code auto}
     */
    public static ModelSettings from(
            Config config, long machineMemoryBytes, int cores, Supplier<Optional<Path>> library) {
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
                kernels(engine.getString("kernels"), library),
                new Fairness(
                        engine.getDouble("step-stretch"),
                        engine.getInt("queue-reserve"),
                        new PriorityWeights(
                                engine.getInt("weights.priority"),
                                engine.getInt("weights.standard"),
                                engine.getInt("weights.flex"))));
    }

    private static Optional<Path> kernels(String word, Supplier<Optional<Path>> library) {
        return switch (word) {
            case "auto" -> library.get();
            case "off" -> Optional.empty();
            default ->
                throw new IllegalArgumentException("meridian.engine.kernels is '" + word + "', expected auto or off");
        };
    }

    RunnerSettings runner() {
        return new RunnerSettings(slots, contextTokens, prefillChunk, threads, kernels);
    }

    /** The same with another budget: a node divides its own among its models. */
    public ModelSettings withMemoryBudget(long bytes) {
        return new ModelSettings(bytes, slots, contextTokens, prefillChunk, queueCapacity, threads, kernels, fairness);
    }
}
