package dev.meridian.engine;

/**
 * Bounds of one engine.
 *
 * @param queueCapacity sequences that may wait for a slot
 * @param prefillChunk prompt tokens run between two decode steps, so that a long prompt never freezes other streams
 * @param kvBudgetBytes native bytes that the KV caches of all slots may commit together
 */
public record EngineSettings(int queueCapacity, int prefillChunk, long kvBudgetBytes) {
    public EngineSettings {
        if (queueCapacity < 1 || prefillChunk < 1 || kvBudgetBytes < 1) {
            throw new IllegalArgumentException("queueCapacity, prefillChunk and kvBudgetBytes must be positive");
        }
    }
}
