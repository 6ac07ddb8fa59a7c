package dev.meridian.placement.simulation;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.Set;

/** A model in the memory of a node. */
final class Replica {
    /** In the order of a life without failures. */
    enum State {
        /** Its load waits for others of its node. */
        PLACED,
        LOADING,
        READY,
        /** Serves those that it has, then goes. */
        DRAINING,
        /** Its node has failed, and the placement does not know yet that it stays away. */
        LOST,
        GONE
    }

    final int model;
    final Node node;
    final long placedAt;

    /** Of the request's path: on their way, queued and running. */
    final Set<Request> requests = new LinkedHashSet<>();

    final Deque<Request> queue = new ArrayDeque<>();
    State state = State.GONE;
    /** Changes whenever its load is begun or its node fails. */
    int attempt;

    int running;
    /** Goes as soon as its load, which nobody can stop, is over. */
    boolean unwanted;

    Replica(int model, Node node, long placedAt) {
        this.model = model;
        this.node = node;
        this.placedAt = placedAt;
    }

    /** Whether the placement counts on it. */
    boolean isPlaced() {
        return !unwanted
                && (state == State.PLACED || state == State.LOADING || state == State.READY || state == State.LOST);
    }

    boolean holdsMemory() {
        return state != State.LOST && state != State.GONE;
    }
}
