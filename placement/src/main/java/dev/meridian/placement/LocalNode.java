package dev.meridian.placement;

import dev.meridian.protocol.cluster.ModelDemand;
import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.ReplicaStatus;
import java.util.List;

/** What a node says of itself at the moment. Safe from any thread, never blocks. */
public interface LocalNode {
    /** Whether it is about to stop. */
    boolean leaving();

    long reservedBytes();

    /** What its disk holds. */
    List<ModelInfo> bundles();

    List<ReplicaStatus> replicas();

    /** What its edge counts of each model that was asked for; nothing of a node without one. */
    default List<ModelDemand> demand() {
        return List.of();
    }

    /** Memory that its loads fill in a second, measured at the last ones; 0 where none was made yet. */
    default long loadBytesPerSecond() {
        return 0;
    }

    /** Calls {@code changed}, on any thread, when it has something else to say of its replicas, or somebody waits for one. One listener at a time. */
    default void onChange(Runnable changed) {}
}
