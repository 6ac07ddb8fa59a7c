package dev.meridian.placement.simulation;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A node and what it holds. */
final class Node {
    final Scenario.Node spec;
    final int region;
    /** By model; at most one of each. */
    final Map<Integer, Replica> replicas = new TreeMap<>();

    final Deque<Replica> loads = new ArrayDeque<>();

    @Nullable
    Replica loading;

    boolean isUp = true;
    /** How many outages overlap now. */
    int outages;

    long failedAt;
    long reservedBytes;

    Node(Scenario.Node spec, int region) {
        this.spec = spec;
        this.region = region;
    }

    long freeBytes() {
        return spec.budgetBytes() - reservedBytes;
    }

    long placed() {
        return replicas.values().stream().filter(Replica::isPlaced).count();
    }
}
