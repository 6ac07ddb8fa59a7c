package dev.meridian.engine;

import dev.meridian.protocol.Priority;

/**
 * Bounds of one engine.
 *
 * @param queueCapacity sequences that may wait for a slot
 * @param prefillChunk the most prompt tokens of a step; beside decoding sequences fewer, see {@link Fairness#stepStretch}
 * @param speculativeTokens the most tokens of a sequence that are guessed and checked in one pass, where the runner can; 0 to
 *     {@value Speculation#MOST}
 * @param kvBudgetBytes native bytes that the KV caches of all slots may commit together, those that are kept too
 */
public record EngineSettings(
        int queueCapacity,
        int prefillChunk,
        long kvBudgetBytes,
        Fairness fairness,
        PrefixCaching prefixCaching,
        int speculativeTokens) {
    public EngineSettings {
        if (speculativeTokens < 0 || speculativeTokens > Speculation.MOST) {
            throw new IllegalArgumentException(
                    "meridian.engine.speculative-tokens " + speculativeTokens + ": expected 0 to " + Speculation.MOST);
        }
        if (queueCapacity < 1 || prefillChunk < 1 || kvBudgetBytes < 1) {
            throw new IllegalArgumentException("queueCapacity, prefillChunk and kvBudgetBytes must be positive");
        }
        if (mostOfOneClass(queueCapacity, fairness) < 1) {
            throw new IllegalArgumentException("meridian.engine.queue-reserve " + fairness.queueReserve()
                    + ": each of the other classes' reserves is taken from queue-capacity " + queueCapacity
                    + ", and nothing is left");
        }
    }

    /** For an engine that one caller has for itself, and which keeps nothing. */
    public EngineSettings(int queueCapacity, int prefillChunk, long kvBudgetBytes) {
        this(queueCapacity, prefillChunk, kvBudgetBytes, Fairness.unreserved());
    }

    /** Without a prefix cache and without speculation. */
    public EngineSettings(int queueCapacity, int prefillChunk, long kvBudgetBytes, Fairness fairness) {
        this(queueCapacity, prefillChunk, kvBudgetBytes, fairness, PrefixCaching.off(), 0);
    }

    /** Sequences of one class that may wait together. */
    int mostOfOneClass() {
        return mostOfOneClass(queueCapacity, fairness);
    }

    private static int mostOfOneClass(int queueCapacity, Fairness fairness) {
        return queueCapacity - fairness.queueReserve() * (Priority.values().length - 1);
    }
}
