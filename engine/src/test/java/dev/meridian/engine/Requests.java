package dev.meridian.engine;

import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Sampling;
import dev.meridian.protocol.TokenIds;
import java.util.List;
import java.util.Map;

/** Requests as tests need them. */
final class Requests {
    static final long NEVER = Long.MAX_VALUE / 2;

    private Requests() {}

    static SequenceRequest greedy(String id, String prompt, int maxTokens) {
        return of(id, prompt, new Generation(Sampling.greedy(), 1, maxTokens, List.of(), -1));
    }

    static SequenceRequest of(String id, String prompt, Generation generation) {
        return new SequenceRequest(
                new Attempt(id, 1), 0, TokenIds.of(LetterVocabulary.ids(prompt)), TokenIds.empty(), generation, NEVER);
    }

    static Sampling sampled(float temperature, int topK, float topP, float minP, long seed) {
        return new Sampling(temperature, topK, topP, minP, null, 0f, 0f, Map.of(), seed);
    }
}
