package dev.meridian.placement;

import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.ReplicaState;
import dev.meridian.protocol.cluster.ReplicaStatus;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The nodes of a region and what they say of their replicas, in the knowledge of the pins as they are. */
final class RegionNodes {
    private final Map<String, NodeFacts> nodes = new TreeMap<>();

    RegionNodes(Collection<NodeFacts> facts) {
        facts.forEach(node -> nodes.put(node.id(), node));
    }

    /** By id. */
    List<NodeFacts> all() {
        return List.copyOf(nodes.values());
    }

    Optional<NodeFacts> find(String id) {
        return Optional.ofNullable(nodes.get(id));
    }

    /** Unknown ones are. */
    boolean isGone(String id) {
        NodeFacts facts = nodes.get(id);
        return facts == null || facts.gone();
    }

    boolean isUsable(String id) {
        return find(id).filter(NodeFacts::usable).isPresent();
    }

    boolean isLeaving(String id) {
        return find(id).filter(NodeFacts::leaving).isPresent();
    }

    boolean has(String id, Pin pin, ReplicaState state) {
        return find(id).filter(facts -> facts.has(pin, state)).isPresent();
    }

    /** Whether the replica serves where it is pinned, and neither moves nor is it out of hearing. */
    boolean isSettled(Pin pin) {
        return pin.next() == null && isUsable(pin.node()) && has(pin.node(), pin, ReplicaState.READY);
    }

    /** Why a node will never serve what is pinned there, as far as one can tell now. */
    Optional<String> failure(String id, Pin pin) {
        NodeFacts facts = nodes.get(id);
        if (facts == null || facts.gone()) {
            return Optional.of(id + " was lost");
        } else if (facts.has(pin, ReplicaState.FAILED)) {
            return Optional.of(id + " could not load it");
        }
        return facts.lacks(pin.replica()) ? Optional.of(id + " has no such bundle") : Optional.empty();
    }

    /** What a node has in its memory; nothing where it is gone. */
    Stream<ReplicaStatus> held(@Nullable String id) {
        return nodes.values().stream()
                .filter(facts -> facts.id().equals(id) && !facts.gone())
                .flatMap(facts -> facts.replicas().stream())
                .filter(replica -> replica.state() != ReplicaState.FAILED);
    }
}
