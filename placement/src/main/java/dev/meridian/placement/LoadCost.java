package dev.meridian.placement;

import dev.meridian.protocol.cluster.Change.Effect;
import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.ReplicaId;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What the loads of a plan cost, summed up while it is thought through: those of one node come one after the other, those of
 * several at once. A node's pace is what it said of its last loads. One thread.
 */
final class LoadCost {
    private static final double MILLIS_PER_SECOND = 1000;

    private final Map<String, Double> millis = new TreeMap<>();
    private long bytes;
    private boolean unknown;
    private boolean streams;

    /** A node is to load a replica; returns the bytes. */
    long load(NodeFacts node, ReplicaId replica) {
        long load = node.bundle(replica.model(), replica.digest())
                .map(ModelInfo::neededBytes)
                .orElse(0L);
        bytes += load;
        if (load > 0 && node.loadBytesPerSecond() == 0) {
            unknown = true;
        } else if (load > 0) {
            millis.merge(node.id(), load * MILLIS_PER_SECOND / node.loadBytesPerSecond(), Double::sum);
        }
        return load;
    }

    /** A node gives a replica up, whose streams, if there are any, may take their time. */
    void unload(NodeFacts node, ReplicaId replica) {
        streams |= PlanText.streams(node, replica) > 0;
    }

    long bytes() {
        return bytes;
    }

    /** {@link Effect#UNKNOWN} where a node that loads has not loaded anything before. */
    long estimateMillis() {
        return unknown
                ? Effect.UNKNOWN
                : Math.round(
                        millis.values().stream().mapToDouble(time -> time).max().orElse(0));
    }

    /** The last step of a plan; empty where it takes no loads, or nobody knows how long they take. */
    Optional<String> step(Duration drainDeadline) {
        long estimate = estimateMillis();
        String more = streams ? ", and up to " + PlanText.time(drainDeadline) + " more for streams that run" : "";
        return estimate > 0 ? Optional.of("takes about " + PlanText.about(estimate) + more) : Optional.empty();
    }
}
