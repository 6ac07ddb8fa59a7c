package dev.meridian.placement;

import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PlacementRefusal;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.cluster.ReplicaState;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Whether a node can take a replica, why not, and which one should. Pure functions. */
final class TargetCheck {
    private TargetCheck() {}

    record Question(NodeFacts node, ReplicaId replica, Collection<Pin> pins, List<String> draining) {}

    record No(PlacementRefusal reason, String message) {}

    /** Who should take a replica: of those who can, the one that holds the fewest, then the one with the most room. */
    static Optional<NodeFacts> choose(
            Collection<NodeFacts> nodes, ReplicaId replica, Collection<Pin> pins, List<String> draining) {
        return nodes.stream()
                .filter(node ->
                        refusal(new Question(node, replica, pins, draining)).isEmpty())
                .min(Comparator.comparingLong((NodeFacts node) -> pinned(node, pins))
                        .thenComparingLong(node -> node.reservedBytes() - node.budgetBytes())
                        .thenComparing(NodeFacts::id));
    }

    private static long pinned(NodeFacts node, Collection<Pin> pins) {
        return pins.stream().filter(pin -> isAt(pin, node)).count();
    }

    private static boolean isAt(Pin pin, NodeFacts node) {
        return pin.node().equals(node.id()) || node.id().equals(pin.next());
    }

    /** Empty where it can. */
    static Optional<No> refusal(Question question) {
        NodeFacts node = question.node();
        ReplicaId replica = question.replica();
        if (!node.usable()) {
            return no(
                    PlacementRefusal.NODE_NOT_READY,
                    "node " + node.id() + " does not answer, holds no models or stops");
        }
        if (question.draining().contains(node.id())) {
            return no(PlacementRefusal.NODE_DRAINING, "node " + node.id() + " is drained");
        }
        if (node.has(replica, ReplicaState.FAILED)) {
            return no(PlacementRefusal.NODE_NOT_READY, "node " + node.id() + " could not load " + replica);
        }
        Optional<ModelInfo> bundle = node.bundle(replica.model(), replica.digest());
        if (bundle.isEmpty()) {
            return no(
                    PlacementRefusal.BUNDLE_MISSING,
                    "node " + node.id() + " has no bundle " + replica.model() + " with the digest " + replica.digest());
        }
        Optional<Pin> other = question.pins().stream()
                .filter(pin -> pin.replica().model().equals(replica.model()))
                .filter(pin -> !pin.replica().equals(replica) && isAt(pin, node))
                .findFirst();
        if (other.isPresent()) {
            return no(
                    PlacementRefusal.ALREADY_THERE,
                    "node " + node.id() + " holds " + other.get().replica() + " of the same model");
        }
        long missing = missingBytes(question);
        return missing <= 0
                ? Optional.empty()
                : no(
                        PlacementRefusal.OVER_BUDGET,
                        replica.model() + " needs " + bundle.get().neededBytes() + " bytes, node " + node.id() + " has "
                                + Math.max(0, bundle.get().neededBytes() - missing) + " left of " + node.budgetBytes());
    }

    /** How much memory the node has too little, of which it has the bundle; below 0 where it has some left. */
    static long missingBytes(Question question) {
        NodeFacts node = question.node();
        ReplicaId replica = question.replica();
        long needed = node.bundle(replica.model(), replica.digest())
                .map(ModelInfo::neededBytes)
                .orElse(0L);
        return needed - (node.budgetBytes() - node.reservedBytes() - promised(question));
    }

    /** What is pinned to the node and has not been reserved there yet, or no more because its load failed. */
    private static long promised(Question question) {
        NodeFacts node = question.node();
        return question.pins().stream()
                .filter(pin -> !pin.replica().equals(question.replica()) && isAt(pin, node))
                .map(Pin::replica)
                .filter(pinned -> node.replica(pinned).isEmpty() || node.has(pinned, ReplicaState.FAILED))
                .flatMap(pinned -> node.bundle(pinned.model(), pinned.digest()).stream())
                .mapToLong(ModelInfo::neededBytes)
                .sum();
    }

    static Optional<No> no(PlacementRefusal reason, String message) {
        return Optional.of(new No(reason, message));
    }
}
