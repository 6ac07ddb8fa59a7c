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
 * @param deadlineNanos on the engine's clock; the sequence is refused once it has passed
 */
public record SequenceRequest(
        Attempt attempt, int choice, TokenIds promptIds, TokenIds emitted, Generation generation, long deadlineNanos) {
    public SequenceRequest {
        Objects.requireNonNull(attempt);
        Objects.requireNonNull(generation);
        if (choice < 0 || choice >= generation.choices()) {
            throw new IllegalArgumentException("choice " + choice + " of " + generation.choices());
        }
    }
}
