package dev.meridian.placement;

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

    /** Calls {@code changed}, on any thread, when it has something else to say of its replicas. One listener at a time. */
    default void onChange(Runnable changed) {}
}
