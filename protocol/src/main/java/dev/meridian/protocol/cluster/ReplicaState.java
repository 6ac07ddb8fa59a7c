package dev.meridian.protocol.cluster;

import java.util.Locale;

/** What a node says of a replica that it holds. */
public enum ReplicaState {
    LOADING,
    /** Loaded, and waits until the replica is pinned to this node. */
    STANDBY,
    READY,
    /** Serves the streams that it has, and takes no more. */
    DRAINING,
    /** Its load or its engine failed. */
    FAILED;

    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }
}
