package dev.meridian.protocol.cluster;

import java.util.List;

/**
 * How many replicas of a model a region holds, because an operator has said so.
 *
 * @param replicas 0 to {@value #MAX_REPLICAS}; 0 where the region is to hold nothing of it
 * @param nodes that alone may hold them; empty where any may
 */
public record ModelPlacement(String model, int replicas, List<String> nodes) {
    public static final int MAX_REPLICAS = 99;

    public ModelPlacement {
        nodes = List.copyOf(nodes);
        if (replicas < 0 || replicas > MAX_REPLICAS) {
            throw new IllegalArgumentException(replicas + " replicas of '" + model + "'");
        }
    }

    /** Whether a node may hold one. */
    public boolean allows(String node) {
        return nodes.isEmpty() || nodes.contains(node);
    }
}
