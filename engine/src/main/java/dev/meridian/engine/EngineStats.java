package dev.meridian.engine;

/**
 * A picture of an engine after a step.
 *
 * @param step steps so far
 * @param decoding sequences in the decode batch
 * @param waiting sequences without a slot
 * @param kvBytes KV memory reserved for sequences that hold a slot
 * @param keptBytes KV memory of sequences that ended, kept for their prefixes
 * @param prefillTokens prompt tokens run so far
 * @param cachedTokens prompt tokens that were not run so far, because the prefix cache had them
 * @param decodeTokens tokens generated so far
 * @param speculatedTokens tokens that were guessed and checked so far
 * @param acceptedTokens those of them that the model said, too
 * @param preemptions sequences that gave their slot up for lack of KV memory so far
 */
public record EngineStats(
        long step,
        int decoding,
        int waiting,
        long kvBytes,
        long keptBytes,
        long prefillTokens,
        long cachedTokens,
        long decodeTokens,
        long speculatedTokens,
        long acceptedTokens,
        long preemptions) {
    public static final EngineStats NONE = new EngineStats(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
}
