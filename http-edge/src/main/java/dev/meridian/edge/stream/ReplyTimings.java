package dev.meridian.edge.stream;

/**
 * Where the time of a whole reply went, in microseconds.
 *
 * <p>{@code first token}, {@code decode} and {@code total} are read from the edge's clock and add up: from the request
 * received to its first token here, from there to the last token of the last choice, and both together. What a failover
 * costs is in them. {@code queue} and {@code prefill} are the engine's, of the choice and the attempt that made the
 * request's first token; they are a part of {@code first token}.
 *
 * @param coldStart whether the request had to wait until its model was loaded
 */
public record ReplyTimings(
        long queueMicros,
        long prefillMicros,
        long firstTokenMicros,
        long decodeMicros,
        long totalMicros,
        boolean coldStart) {}
