package dev.meridian.placement;

import dev.meridian.protocol.cluster.NodeMessage.NodeStatus;

/**
 * A node as another one sees it.
 *
 * @param status the newest that came
 * @param heardNanos when it came, on the viewer's monotonic clock
 * @param rttMicros how long a status and its answer take; -1 where none came back yet, 0 of the viewer itself
 */
public record NodeView(NodeStatus status, long heardNanos, long rttMicros) {
    public static final long NO_RTT = -1;

    public String id() {
        return status.node();
    }

    /** How long nothing was heard of it. */
    public long silentNanos(long nowNanos) {
        return Math.max(0, nowNanos - heardNanos);
    }
}
