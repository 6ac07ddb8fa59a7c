package dev.meridian.engine;

import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.Sampling;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A request's sampling with the model's defaults filled in, in the form that the token path reads without boxing. The
 * bias arrays are not copied and belong to this record. Field meanings: {@link Sampling}.
 */
@SuppressWarnings("ArrayRecordComponent") // Read on the token path: no boxing, no copy.
record SamplerSettings(
        float temperature,
        int topK,
        float topP,
        float minP,
        float repetitionPenalty,
        float presencePenalty,
        float frequencyPenalty,
        int[] biasIds,
        float[] biases,
        long seed) {

    static SamplerSettings resolve(Sampling asked, SamplingDefaults defaults) {
        Map<Integer, Float> bias = new TreeMap<>(asked.logitBias());
        int[] ids = new int[bias.size()];
        float[] values = new float[bias.size()];
        int i = 0;
        for (var entry : bias.entrySet()) {
            ids[i] = entry.getKey();
            values[i++] = entry.getValue();
        }
        return new SamplerSettings(
                first(asked.temperature(), defaults.temperature(), 1f),
                Math.max(0, first(asked.topK(), defaults.topK(), 0)),
                first(asked.topP(), defaults.topP(), 1f),
                first(asked.minP(), defaults.minP(), 0f),
                first(asked.repetitionPenalty(), defaults.repetitionPenalty(), 1f),
                asked.presencePenalty(),
                asked.frequencyPenalty(),
                ids,
                values,
                asked.seed());
    }

    /** What an edge could not judge without the model: token ids outside the vocabulary. */
    static Optional<Refusal> check(Sampling asked, int vocabSize) {
        return asked.logitBias().keySet().stream()
                .filter(id -> id < 0 || id >= vocabSize)
                .findFirst()
                .map(id -> new Refusal.InvalidRequest(
                        "logit_bias", "token id " + id + " is outside the vocabulary of " + vocabSize));
    }

    boolean greedy() {
        return temperature == 0f;
    }

    boolean penalises() {
        return repetitionPenalty != 1f || presencePenalty != 0f || frequencyPenalty != 0f;
    }

    private static <T> T first(@Nullable T asked, @Nullable T byModel, T neutral) {
        return asked != null ? asked : byModel != null ? byModel : neutral;
    }
}
