package dev.meridian.placement.simulation;

import org.jspecify.annotations.Nullable;

/** What a user sent, until its last token. */
final class Request {
    /** Where it is. */
    enum State {
        /** At the edge, because nothing is loaded that may serve it. */
        WAITING,
        /** To a replica, or to the edge's next attempt. */
        ON_ITS_WAY,
        QUEUED,
        PREFILL,
        DECODE,
        SERVED,
        FAILED
    }

    final int region;
    final int model;
    final long arrivedAt;
    final int promptTokens;
    final int outputTokens;

    State state = State.ON_ITS_WAY;
    int attempt;
    /** Tokens that the user has. */
    int emitted;

    boolean hasWaited;
    boolean hasFirstToken;
    long waitingSince;
    /** Begins to be served until then, or fails. */
    long deadline;

    long decodesSince;

    @Nullable
    Replica replica;

    Request(int region, int model, long arrivedAt, int promptTokens, int outputTokens) {
        this.region = region;
        this.model = model;
        this.arrivedAt = arrivedAt;
        this.promptTokens = promptTokens;
        this.outputTokens = outputTokens;
    }

    boolean isOpen() {
        return state != State.SERVED && state != State.FAILED;
    }
}
