package dev.meridian.protocol;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How the next token is chosen. A null field means "not said": the model's own default applies (its
 * generation_config.json), else the neutral value.
 *
 * @param temperature 0 is greedy; 0 to 2
 * @param topK keep the k most probable tokens; 0 or -1 keeps all
 * @param topP keep the smallest set whose probability reaches p; above 0 to 1
 * @param minP keep tokens of at least p times the best one's probability; 0 to 1
 * @param repetitionPenalty divides positive and multiplies negative logits of tokens in prompt or output (CTRL, Keskar et
 *     al. 2019); above 0, 1 is neutral
 * @param presencePenalty subtracted once from each token already generated; -2 to 2
 * @param frequencyPenalty subtracted per occurrence among the generated tokens; -2 to 2
 * @param logitBias added to the logits of these token ids; -100 to 100
 * @param seed with the choice and the token index, the key of every draw: the same seed draws the same numbers
 */
public record Sampling(
        @Nullable Float temperature,
        @Nullable Integer topK,
        @Nullable Float topP,
        @Nullable Float minP,
        @Nullable Float repetitionPenalty,
        float presencePenalty,
        float frequencyPenalty,
        Map<Integer, Float> logitBias,
        long seed) {
    public Sampling {
        logitBias = Map.copyOf(logitBias);
    }

    /** The most probable token at every step. */
    public static Sampling greedy() {
        return new Sampling(0f, null, null, null, null, 0f, 0f, Map.of(), 0L);
    }
}
