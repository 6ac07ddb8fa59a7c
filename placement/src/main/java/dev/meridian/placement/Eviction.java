package dev.meridian.placement;

import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PlacementRefusal;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.cluster.ReplicaState;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Which replicas have to go so that one that an operator wants has room: of models that no operator has placed, and that serve
 * nobody now. The policy takes them away, for what is placed goes before what it wants itself.
 *
 * @param replica that gets room
 * @param node where
 * @param goes the largest first
 */
record Eviction(ReplicaId replica, NodeFacts node, List<Pin> goes) {
    Eviction {
        goes = List.copyOf(goes);
    }

    /** With the fewest that go; empty where that would not help, or no policy takes anything away. */
    static Optional<Eviction> cheapest(
            Situation now, Collection<NodeFacts> nodes, ReplicaId replica, Collection<Pin> pins) {
        if (!now.wanted().exact()) {
            return Optional.empty();
        }
        return nodes.stream()
                .flatMap(node -> at(now, node, replica, pins).stream())
                .min(Comparator.comparingInt(
                                (Eviction eviction) -> eviction.goes().size())
                        .thenComparing(eviction -> eviction.node().id()));
    }

    private static Optional<Eviction> at(Situation now, NodeFacts node, ReplicaId replica, Collection<Pin> pins) {
        TargetCheck.Question question =
                new TargetCheck.Question(node, replica, pins, now.table().draining());
        boolean isFull = TargetCheck.refusal(question)
                .filter(no -> no.reason() == PlacementRefusal.OVER_BUDGET)
                .isPresent();
        if (!isFull) {
            return Optional.empty();
        }
        List<Pin> idle = pins.stream()
                .filter(pin -> pin.node().equals(node.id()) && pin.next() == null && isIdle(now, node, pin))
                .sorted(Comparator.comparingLong((Pin pin) -> bytes(node, pin)).reversed())
                .toList();
        long missing = TargetCheck.missingBytes(question);
        List<Pin> goes = new ArrayList<>();
        for (Pin pin : idle) {
            if (missing > 0) {
                goes.add(pin);
                missing -= bytes(node, pin);
            }
        }
        return missing > 0 ? Optional.empty() : Optional.of(new Eviction(replica, node, goes));
    }

    private static boolean isIdle(Situation now, NodeFacts node, Pin pin) {
        return now.table().placement(pin.replica().model()).isEmpty()
                && node.has(pin, ReplicaState.READY)
                && PlanText.streams(node, pin.replica()) == 0;
    }

    private static long bytes(NodeFacts node, Pin pin) {
        return node.bundle(pin.replica().model(), pin.replica().digest())
                .map(ModelInfo::neededBytes)
                .orElse(0L);
    }
}
