package dev.meridian.edge.admin;

import dev.meridian.protocol.cluster.NodeMessage.NodeStatus;

/**
 * A node as operators see it.
 *
 * @param condition {@code joining}, {@code up}, {@code draining}, {@code unreachable} or {@code leaving}
 * @param rttMicros to it and back; negative where that is not known
 */
public record NodeRow(NodeStatus status, String condition, long rttMicros) {}
