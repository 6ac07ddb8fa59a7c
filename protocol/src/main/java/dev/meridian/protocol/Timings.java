package dev.meridian.protocol;

/**
 * Where a choice's time went inside the engine, in microseconds: waiting for a slot, prefill, decode.
 *
 * @param cachedTokens the prompt's first tokens that prefill did not run, because their KV cache was there before the request
 */
public record Timings(long queueMicros, long prefillMicros, long decodeMicros, int cachedTokens) {
    public Timings {
        if (cachedTokens < 0) {
            throw new IllegalArgumentException("negative cachedTokens");
        }
    }
}
