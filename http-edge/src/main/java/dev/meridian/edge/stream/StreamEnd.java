package dev.meridian.edge.stream;

/** What stands behind a stream's last entry. */
public sealed interface StreamEnd {
    /**
     * Every choice has finished. It comes with the last entry, in the same read.
     *
     * @param cachedTokens of the prompt, those that the choice and the attempt which made the request's first token did not run
     */
    record Finished(ReplyTimings timings, int cachedTokens) implements StreamEnd {}

    record Failed(StreamFailure reason) implements StreamEnd {}

    /** The client left; nobody reads this. */
    record Abandoned() implements StreamEnd {}
}
