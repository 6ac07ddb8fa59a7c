package dev.meridian.edge.stream;

import dev.meridian.protocol.Refusal;

/** Why the edge ends a stream before its last token. */
public sealed interface StreamFailure {
    /** A replica's own reason. */
    record ByReplica(Refusal reason) implements StreamFailure {}

    /** The replica that fed the stream is gone and the directory names no other. */
    record ReplicaLost(String model) implements StreamFailure {}

    /** Every attempt that a request may use was used up. */
    record AttemptsExhausted(int attempts) implements StreamFailure {}

    /** The edge carries {@code limit} streams already. */
    record TooManyStreams(int limit) implements StreamFailure {}

    /** Clients read too slowly: {@code limitBytes} of entries wait for them. */
    record JournalFull(long limitBytes) implements StreamFailure {}

    /** Its client closed the connection before a replica answered. */
    record ClientLeft() implements StreamFailure {}

    /** The edge is stopping. */
    record ShuttingDown() implements StreamFailure {}
}
