package dev.meridian.protocol.cluster;

import java.util.Locale;

/** Why a change is refused. */
public enum PlacementRefusal {
    REPLICA_UNKNOWN,
    NODE_UNKNOWN,
    /** The replica is where it should go. */
    SAME_NODE,
    OTHER_REGION,
    /** The target has no such bundle. */
    BUNDLE_MISSING,
    /** The target holds another replica of the same model. */
    ALREADY_THERE,
    OVER_BUDGET,
    NODE_DRAINING,
    /** The target does not answer, or is about to stop. */
    NODE_NOT_READY,
    /** Somebody else has changed the pin since. */
    STALE_GENERATION,
    /** A change of this replica or node runs already. */
    CHANGE_RUNNING,
    /** A key was used for another change before. */
    IDEMPOTENCY_KEY_REUSED,
    /** No other node can take what would have to move. */
    NO_ROOM;

    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }
}
