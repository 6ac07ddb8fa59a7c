package dev.meridian.edge.openai;

import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Priority;
import dev.meridian.protocol.Prompt;
import org.jspecify.annotations.Nullable;

/**
 * A request body, checked.
 *
 * @param includeUsage the stream ends with a chunk that counts tokens
 * @param saidTier the service tier that replies repeat, which they do where the request named one; null where it did not
 */
public record ParsedRequest(
        String model,
        Prompt prompt,
        Generation generation,
        boolean stream,
        boolean includeUsage,
        @Nullable Priority saidTier) {
    /** Whether replies carry log-probabilities. */
    public boolean wantsLogprobs() {
        return generation.topLogprobs() >= 0;
    }

    /** What a parser must know of the model that the body names. */
    public record ModelBounds(int contextTokens, int vocabSize) {}

    /** Looks up the bounds of a model; null when there is no such model. */
    public interface Models {
        @Nullable
        ModelBounds find(String model);
    }
}
