package dev.meridian.edge.stream;

import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.cluster.Residency;
import java.time.Duration;

/** Why the edge ends a stream before its last token. */
public sealed interface StreamFailure {
    /** A replica's own reason. */
    record ByReplica(Refusal reason) implements StreamFailure {}

    /** The replica that fed the stream is gone and the directory names no other. */
    record ReplicaLost(String model) implements StreamFailure {}

    /** No region that the request may go to has a replica that can take it. */
    record NoAllowedRegion(String model, Residency residency) implements StreamFailure {}

    /** The model is not loaded, and will not be before the request's deadline. */
    record ModelLoading(String model, long estimateMillis) implements StreamFailure {}

    /** Every attempt that a request may use was used up. */
    record AttemptsExhausted(int attempts) implements StreamFailure {}

    /** The edge carries {@code limit} streams already. */
    record TooManyStreams(int limit) implements StreamFailure {}

    /** What this stream may need does not fit beside what others hold or may need of {@code limitBytes}. */
    record JournalFull(long limitBytes) implements StreamFailure {}

    /** What this stream may need is never given to one. */
    record ReplyTooLarge(long neededBytes, long limitBytes) implements StreamFailure {}

    /** All unread entries together passed {@code limitBytes}, and this stream had most of them. */
    record JournalOverflow(long limitBytes) implements StreamFailure {}

    /** Its client took nothing for {@code limit} though there was something. */
    record ReaderTooSlow(Duration limit) implements StreamFailure {}

    /** Its client closed the connection before a replica answered. */
    record ClientLeft() implements StreamFailure {}

    /** The edge is stopping. */
    record ShuttingDown() implements StreamFailure {}
}
