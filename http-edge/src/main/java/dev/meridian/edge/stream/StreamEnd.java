package dev.meridian.edge.stream;

/** What stands behind a stream's last entry. */
public sealed interface StreamEnd {
    /** Every choice has finished. It comes with the last entry, in the same read. */
    record Finished(ReplyTimings timings) implements StreamEnd {}

    record Failed(StreamFailure reason) implements StreamEnd {}

    /** The client left; nobody reads this. */
    record Abandoned() implements StreamEnd {}
}
