package dev.meridian.engine;

import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.TokenIds;
import java.util.Objects;

/**
 * One choice of an attempt, ready for the engine.
 *
 * @param promptIds the prompt, at least one token
 * @param emitted what earlier attempts generated for this choice: the sequence goes on behind it
 * @param cacheScope requests of one scope may use each other's KV caches
 * @param deadlineNanos on the engine's clock; the sequence is refused once it has passed
 */
public record SequenceRequest(
        Attempt attempt,
        int choice,
        TokenIds promptIds,
        TokenIds emitted,
        Generation generation,
        long cacheScope,
        long deadlineNanos) {
    public SequenceRequest {
        Objects.requireNonNull(attempt);
        Objects.requireNonNull(generation);
        if (choice < 0 || choice >= generation.choices()) {
            throw new IllegalArgumentException("choice " + choice + " of " + generation.choices());
        }
    }

    /** For an engine that one caller has for itself. */
    public SequenceRequest(
            Attempt attempt,
            int choice,
            TokenIds promptIds,
            TokenIds emitted,
            Generation generation,
            long deadlineNanos) {
        this(attempt, choice, promptIds, emitted, generation, 0, deadlineNanos);
    }
}
