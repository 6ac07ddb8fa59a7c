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
    /** A change of this replica, node or model runs already, or the one to undo runs still. */
    CHANGE_RUNNING,
    /** A key was used for another change before. */
    IDEMPOTENCY_KEY_REUSED,
    /** No other node can take what would have to move. */
    NO_ROOM,
    REGION_UNKNOWN,
    /** No node of the region has a bundle of that name. */
    MODEL_UNKNOWN,
    CHANGE_UNKNOWN,
    /** A node holds at most one replica of a model. */
    TOO_FEW_NODES,
    /** An operator has placed the model on other nodes. */
    NODE_EXCLUDED,
    /** Nobody else serves the model. */
    LAST_REPLICA,
    /** An undo cannot be undone; ask for the change again. */
    UNDO_OF_UNDO,
    ALREADY_UNDONE,
    /** A change that failed has nothing to undo. */
    CHANGE_FAILED,
    /** All was so before the change. */
    NOTHING_TO_UNDO,
    /** A later change, or the placement itself, has changed the same again. */
    SUPERSEDED,
    /** The model may not be held in that region, whoever asks. */
    RESIDENCY_FORBIDS;

    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }
}
