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
    private static final float LEAST_TEMPERATURE = 1e-5f;

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

    /** Why these settings cannot be used with a vocabulary: they are a client's, or a bundle's, and neither is trusted. */
    Optional<Refusal> check(int vocabSize) {
        for (int id : biasIds) {
            if (id < 0 || id >= vocabSize) {
                return refused("logit_bias", "token id " + id + " is outside the vocabulary of " + vocabSize);
            }
        }
        for (float bias : biases) {
            if (!within(bias, -100f, 100f)) {
                return refused("logit_bias", bias + " is outside -100 to 100");
            }
        }
        return range("temperature", temperature, 0f, 2f)
                .or(() -> range("top_p", topP, Float.MIN_NORMAL, 1f))
                .or(() -> range("min_p", minP, 0f, 1f))
                .or(() -> range("repetition_penalty", repetitionPenalty, 0.01f, 10f))
                .or(() -> range("presence_penalty", presencePenalty, -2f, 2f))
                .or(() -> range("frequency_penalty", frequencyPenalty, -2f, 2f));
    }

    private static Optional<Refusal> range(String name, float value, float least, float most) {
        return within(value, least, most)
                ? Optional.empty()
                : refused(name, value + " is outside " + least + " to " + most);
    }

    private static boolean within(float value, float least, float most) {
        return value >= least && value <= most; // False for NaN.
    }

    private static Optional<Refusal> refused(String parameter, String message) {
        return Optional.of(new Refusal.InvalidRequest(parameter, message));
    }

    /** Below a hundred-thousandth the best token takes all that a float can tell from 1. */
    boolean greedy() {
        return temperature < LEAST_TEMPERATURE;
    }

    boolean penalises() {
        return repetitionPenalty != 1f || presencePenalty != 0f || frequencyPenalty != 0f;
    }

    private static <T> T first(@Nullable T asked, @Nullable T byModel, T neutral) {
        return asked != null ? asked : byModel != null ? byModel : neutral;
    }
}
