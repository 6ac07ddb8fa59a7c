package dev.meridian.protocol;

/** Why a choice ended as it should; anything else is a {@link Refusal}. */
public enum FinishReason {
    /** An end-of-sequence token or a stop text. */
    STOP,
    /** {@code maxTokens} were generated or the context is full. */
    LENGTH
}
